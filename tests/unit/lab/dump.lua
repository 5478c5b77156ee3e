-- Prints a YAML text as JSON, by the tiny guest's reader: dump.lua DIRECTORY <TEXT
package.path = arg[1] .. "/?.lua"
local yaml = require("yaml")
local function q(s) return '"' .. s:gsub('[%c"\\\127]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"' end
local function dump(v)
  if v == yaml.null then return "null" end
  if yaml.is_seq(v) then local o = {} for _, x in ipairs(v) do o[#o+1] = dump(x) end return "[" .. table.concat(o, ",") .. "]" end
  if yaml.is_map(v) then local o = {} for _, k in ipairs(yaml.keys(v)) do o[#o+1] = q(k) .. ":" .. dump(v[k]) end return "{" .. table.concat(o, ",") .. "}" end
  if type(v) == "string" then return q(v) end
  return tostring(v)
end
local value, why = yaml.parse(io.read("a"))
if value == nil then io.stderr:write(why, "\n") os.exit(1) end
print(dump(value))
