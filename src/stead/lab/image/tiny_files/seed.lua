-- Turns a NoCloud seed into a plan: a directory with one small file per value, which `apply` then carries out.
--   seed.lua SEED PLAN
-- Changes nothing else, so what a seed means can be tested without a guest. What is not understood is told in
-- PLAN/warnings and left out; the rest of the seed still counts, as with cloud-init.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua"
local yaml = require("yaml")

local seed, plan = arg[1], arg[2]
local warnings = {}
local function warn(text) warnings[#warnings + 1] = text end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local made = {}
local function write(path, text)
  local full = plan .. "/" .. path
  local directory = full:match("^(.*)/")
  if not made[directory] then
    made[directory] = true
    os.execute("mkdir -p '" .. directory .. "'") -- ours: PLAN and the fixed names and numbers below
  end
  local file = assert(io.open(full, "wb"))
  file:write(text)
  file:close()
end

-- A value that is there, as text; maps and sequences are not text.
local function text_of(value)
  if value == nil or value == yaml.null or type(value) == "table" then return nil end
  return tostring(value)
end

local function write_value(path, value)
  local text = text_of(value)
  if text then write(path, text) end
end

local function list(value)
  if yaml.is_seq(value) then return value end
  if value == nil or value == yaml.null then return {} end
  return { value }
end

local function lines(values)
  local out = {}
  for _, value in ipairs(values) do out[#out + 1] = text_of(value) end
  return #out > 0 and table.concat(out, "\n") .. "\n" or nil
end

local function map(value, what)
  if yaml.is_map(value) then return value end
  if value ~= nil and value ~= yaml.null then warn(what .. " is not a mapping") end
  return nil
end

local function document(name)
  local text = read(seed .. "/" .. name)
  if not text or not text:find("%S") then return nil end
  local value, why = yaml.parse(text)
  if value == nil then warn(name .. ": " .. why) end
  return map(value, name)
end

-- A word for sh, whatever is in it.
local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- meta-data -----------------------------------------------------------------------------------------------------------

local function meta_data(meta)
  write("instance-id", text_of(meta["instance-id"]) or "nocloud")
  write_value("hostname", meta["local-hostname"] or meta["hostname"])
  local keys = meta["public-keys"]
  if yaml.is_map(keys) then
    local found = {}
    for _, name in ipairs(yaml.keys(keys)) do
      local one = keys[name]
      if yaml.is_map(one) then one = one["openssh-key"] end
      for _, key in ipairs(list(one)) do found[#found + 1] = key end
    end
    return found
  end
  return list(keys)
end

-- user-data -----------------------------------------------------------------------------------------------------------

local function commands(path, value)
  local out = {}
  for _, command in ipairs(list(value)) do
    if yaml.is_seq(command) then
      local words = {}
      for _, word in ipairs(command) do words[#words + 1] = quoted(text_of(word) or "") end
      out[#out + 1] = table.concat(words, " ")
    else
      out[#out + 1] = text_of(command)
    end
  end
  if #out > 0 then write(path, table.concat(out, "\n") .. "\n") end
end

local function write_files(value)
  for number, file in ipairs(list(value)) do
    if map(file, "an entry of write_files") and text_of(file.path) then
      local at = ("files/%03d/"):format(number)
      local mode = file.permissions
      write(at .. "path", text_of(file.path))
      write(at .. "content", text_of(file.content) or "")
      write(at .. "mode", type(mode) == "number" and ("%o"):format(mode) or text_of(mode) or "0644")
      write(at .. "owner", text_of(file.owner) or "root:root")
      write(at .. "encoding", text_of(file.encoding) or "text/plain")
      if file.append == true then write(at .. "append", "yes") end
    end
  end
end

local function users(value)
  for number, user in ipairs(list(value)) do
    local name = yaml.is_map(user) and text_of(user.name) or text_of(user)
    if name and name ~= "default" then
      local at = ("users/%03d/"):format(number)
      write(at .. "name", name)
      if yaml.is_map(user) then
        local keys = lines(list(user.ssh_authorized_keys or user["ssh-authorized-keys"]))
        if keys then write(at .. "keys", keys) end
        write_value(at .. "hash", user.passwd or user.hashed_passwd)
        write_value(at .. "password", user.plain_text_passwd)
      end
    end
  end
end

local function passwords(data)
  local out = {}
  if text_of(data.password) then out[1] = "debian:" .. text_of(data.password) end
  local change = data.chpasswd
  if yaml.is_map(change) then
    if text_of(change.list) then out[#out + 1] = (change.list:gsub("\n+$", "")) end
    for _, line in ipairs(yaml.is_seq(change.list) and change.list or {}) do out[#out + 1] = text_of(line) end
    for _, user in ipairs(list(change.users)) do
      if map(user, "an entry of chpasswd.users") and text_of(user.name) and text_of(user.password) then
        out[#out + 1] = user.name .. ":" .. text_of(user.password)
      end
    end
  end
  if #out > 0 then write("passwords", table.concat(out, "\n") .. "\n") end
end

local function mounts(value)
  for number, mount in ipairs(list(value)) do
    local device = text_of(list(mount)[1])
    local point = text_of(list(mount)[2])
    if device and point and point ~= "none" then
      local at = ("mounts/%03d/"):format(number)
      write(at .. "device", device:find("[/=]") and device or "/dev/" .. device)
      write(at .. "point", point)
      write(at .. "type", text_of(mount[3]) or "auto")
      write(at .. "options", text_of(mount[4]) or "defaults,nofail")
    end
  end
end

local function file_systems(value)
  for number, one in ipairs(list(value)) do
    if map(one, "an entry of fs_setup") and text_of(one.device) then
      local at = ("fs/%03d/"):format(number)
      write(at .. "device", one.device:find("/") and one.device or "/dev/" .. one.device)
      write(at .. "type", text_of(one.filesystem) or "ext4")
      write_value(at .. "label", one.label)
      if one.overwrite == true then write(at .. "overwrite", "yes") end
    end
  end
end

local KNOWN = {}
for word in ([[hostname fqdn preserve_hostname manage_etc_hosts ssh_authorized_keys write_files runcmd bootcmd mounts
  fs_setup users password chpasswd ssh_pwauth disable_root growpart resize_rootfs package_update package_upgrade
  final_message timezone locale power_state]]):gmatch("%S+") do KNOWN[word] = true end

local function cloud_config(data, keys)
  for _, key in ipairs(yaml.keys(data)) do
    if not KNOWN[key] then warn("user-data: " .. key .. " is not read by this image") end
  end
  write_value("hostname", data.fqdn and text_of(data.fqdn):match("^[^.]+") or nil)
  write_value("hostname", data.hostname)
  write_value("fqdn", data.fqdn)
  for _, key in ipairs(list(data.ssh_authorized_keys)) do keys[#keys + 1] = key end
  users(data.users)
  passwords(data)
  write_files(data.write_files)
  commands("bootcmd", data.bootcmd)
  commands("runcmd", data.runcmd)
  file_systems(data.fs_setup)
  mounts(data.mounts)
  if yaml.is_map(data.power_state) then write_value("power_state", data.power_state.mode) end
end

local function user_data(keys)
  local text = read(seed .. "/user-data")
  if not text or not text:find("%S") then return end
  if text:find("^#!") then
    write("script", text)
  elseif text:find("^#cloud%-config") then
    local data = document("user-data")
    if data then cloud_config(data, keys) end
  else
    warn("user-data: only #cloud-config and scripts (#!) are read by this image")
  end
end

-- network-config, version 2 -------------------------------------------------------------------------------------------

local function route(one)
  local to, via = text_of(one.to), text_of(one.via)
  if not to then return nil end
  if to == "0.0.0.0/0" or to == "::/0" then to = "default" end
  local family = ((via or to):find(":") and "-6" or "-4")
  local words = { family, "route", "replace", to }
  if via then words[#words + 1] = "via " .. via end
  if one["on-link"] == true then words[#words + 1] = "onlink" end
  if text_of(one.metric) then words[#words + 1] = "metric " .. text_of(one.metric) end
  return table.concat(words, " ")
end

local function ethernet(at, id, one)
  local match = yaml.is_map(one.match) and one.match or {}
  write_value(at .. "mac", match.macaddress and text_of(match.macaddress):lower())
  write_value(at .. "match-name", match.name)
  if not match.macaddress and not match.name then write(at .. "match-name", id) end
  write_value(at .. "set-name", one["set-name"])
  write_value(at .. "mtu", one.mtu)
  if one.dhcp4 == true then write(at .. "dhcp4", "yes") end
  if one.dhcp6 == true then warn("network-config: no DHCPv6 client here; only router advertisements count") end
  if one["accept-ra"] == false then write(at .. "no-ra", "yes") end
  local addresses, routes = {}, {}
  for _, address in ipairs(list(one.addresses)) do
    addresses[#addresses + 1] = yaml.is_map(address) and yaml.keys(address)[1] or address
  end
  if text_of(one.gateway4) then routes[1] = "-4 route replace default via " .. one.gateway4 end
  if text_of(one.gateway6) then routes[#routes + 1] = "-6 route replace default via " .. one.gateway6 end
  for _, each in ipairs(list(one.routes)) do routes[#routes + 1] = map(each, "a route") and route(each) end
  if lines(addresses) then write(at .. "addresses", lines(addresses)) end
  if lines(routes) then write(at .. "routes", lines(routes)) end
  local names = map(one.nameservers, "nameservers")
  if names then
    local dns = lines(list(names.addresses))
    if dns then write(at .. "dns", dns) end
    local search = lines(list(names.search))
    if search then write(at .. "search", (search:gsub("\n", " "))) end
  end
end

local function network()
  local data = document("network-config")
  if data and yaml.is_map(data.network) then data = data.network end
  if not data then return end
  if text_of(data.version) ~= "2" then
    warn("network-config: only version 2 is read by this image")
    return
  end
  write("net/read", "yes")
  for _, other in ipairs({ "bonds", "bridges", "vlans", "wifis" }) do
    if data[other] ~= nil then warn("network-config: " .. other .. " is not read by this image") end
  end
  local ethernets = map(data.ethernets, "ethernets")
  for number, id in ipairs(ethernets and yaml.keys(ethernets) or {}) do
    if map(ethernets[id], "an ethernet") then ethernet(("net/%03d/"):format(number), id, ethernets[id]) end
  end
end

local keys = meta_data(document("meta-data") or {})
user_data(keys)
if lines(keys) then write("keys", lines(keys)) end
network()
if #warnings > 0 then write("warnings", table.concat(warnings, "\n") .. "\n") end
