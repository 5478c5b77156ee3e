-- Reads the part of YAML that people and programs write in seeds: block and flow mappings and sequences, plain and
-- quoted scalars (also over several lines), literal and folded blocks with their indicators, comments, one document.
-- JSON is inside that. Anchors, aliases, tags, complex keys and tabs for indentation are refused with the line's number.
local yaml = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local MAP, SEQ = {}, {}

local function map() return setmetatable({}, { kind = MAP, keys = {} }) end
local function seq() return setmetatable({}, { kind = SEQ }) end
local function kind(value) local meta = getmetatable(value); return type(value) == "table" and meta and meta.kind end

function yaml.is_map(value) return kind(value) == MAP end
function yaml.is_seq(value) return kind(value) == SEQ end
function yaml.keys(value) return getmetatable(value).keys end

local function put(into, key, value)
  local keys = getmetatable(into).keys
  if into[key] == nil then keys[#keys + 1] = key end
  into[key] = value
end

local Reader = {}
Reader.__index = Reader

function Reader:fail(what)
  error({ message = "line " .. (self.number or 0) .. ": " .. what }, 0)
end

-- Scalars -------------------------------------------------------------------------------------------------------------

local WORDS = { [""] = yaml.null, ["~"] = yaml.null, null = yaml.null, Null = yaml.null, NULL = yaml.null }
for _, word in ipairs({ "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON" }) do WORDS[word] = true end
for _, word in ipairs({ "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF" }) do WORDS[word] = false end

local function plain(text)
  local word = WORDS[text]
  if word ~= nil then return word end
  if text:find("^[-+]?[1-9]%d*$") or text == "0" then return math.tointeger(tonumber(text)) or text end
  if text:find("^0[0-7]+$") then return tonumber(text, 8) end -- YAML 1.1, as cloud-init reads it: a file's mode
  if text:find("^0x%x+$") then return math.tointeger(tonumber(text)) end
  if text:find("^[-+]?%d+%.%d*$") then return tonumber(text) end
  return text
end

local ESCAPES = { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", a = "\a", v = "\v", e = "\27", ["0"] = "\0",
  ["\\"] = "\\", ['"'] = '"', ["/"] = "/", [" "] = " ", _ = "\u{a0}", N = "\u{85}" }
local HEX = { x = 2, u = 4, U = 8 }

-- Lines in a quoted scalar are folded: one line end is a space, more are one less. A backslash at a line's end in
-- double quotes joins without a space.
local function fold_quoted(inner, double)
  local lines = {}
  for line in (inner .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  local out, empty = lines[1], 0
  for index = 2, #lines do
    local escaped = double and empty == 0 and #out:match("\\*$") % 2 == 1
    local line = lines[index]:gsub("^[ \t]+", "")
    if line == "" and index < #lines then
      empty = empty + 1
      if escaped then out = out:sub(1, -2) end
    else
      if escaped then out = out:sub(1, -2) else out = out:gsub("[ \t]+$", "") end
      local joint = empty > 0 and ("\n"):rep(empty) or escaped and "" or " "
      out, empty = out .. joint .. line, 0
    end
  end
  return out
end

function Reader:unescape(text)
  local out, at = {}, 1
  while at <= #text do
    local char, letter = text:sub(at, at), text:sub(at + 1, at + 1)
    if char ~= "\\" then
      out[#out + 1], at = char, at + 1
    elseif HEX[letter] then
      local code = tonumber(text:sub(at + 2, at + 1 + HEX[letter]), 16)
      if not code then self:fail("a broken \\" .. letter .. " escape") end
      at = at + 2 + HEX[letter]
      local low = code >= 0xD800 and code < 0xDC00 and tonumber(text:match("^\\u(%x%x%x%x)", at) or "", 16)
      if low then code, at = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00), at + 6 end
      out[#out + 1] = utf8.char(code)
    elseif ESCAPES[letter] then
      out[#out + 1], at = ESCAPES[letter], at + 2
    else
      self:fail("an unknown escape \\" .. letter)
    end
  end
  return table.concat(out)
end

-- The quoted scalar that begins at `from`, and the place after it; nothing when it is not closed.
function Reader:quoted(text, from)
  local quote, at = text:sub(from, from), from + 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == "\\" and quote == '"' then
      at = at + 1
    elseif char == quote then
      if quote == '"' or text:sub(at + 1, at + 1) ~= "'" then break end
      at = at + 1
    end
    at = at + 1
  end
  if at > #text then return nil end
  local inner = text:sub(from + 1, at - 1)
  if inner:find("\n") then inner = fold_quoted(inner, quote == '"') end
  if quote == '"' then return self:unescape(inner), at + 1 end
  return (inner:gsub("''", "'")), at + 1
end

-- A comment begins at a # that is first or follows a blank, outside quotes.
local function uncomment(text)
  local quote, at = nil, 1
  while at <= #text do
    local char = text:sub(at, at)
    if quote then
      if char == "\\" and quote == '"' then at = at + 1 elseif char == quote then quote = nil end
    elseif (char == '"' or char == "'") and (at == 1 or text:find("^[%s%[{,:%-]", at - 1)) then
      quote = char
    elseif char == "#" and (at == 1 or text:find("^%s", at - 1)) then
      return (text:sub(1, at - 1):gsub("%s+$", ""))
    end
    at = at + 1
  end
  return (text:gsub("%s+$", ""))
end

-- Flow ----------------------------------------------------------------------------------------------------------------

-- The next place that is neither blank nor in a comment.
local function skip(text, at)
  while true do
    at = text:find("[^%s]", at) or #text + 1
    if text:sub(at, at) ~= "#" or not text:find("^%s", at - 1) then return at end
    at = text:find("\n", at, true) or #text + 1
  end
end

function Reader:flow(text, at)
  at = skip(text, at)
  local char = text:sub(at, at)
  if char == "{" then return self:flow_map(text, at + 1) end
  if char == "[" then return self:flow_seq(text, at + 1) end
  if char == '"' or char == "'" then
    local value, after = self:quoted(text, at)
    if not after then self:fail("a quote is not closed") end
    return value, after
  end
  local stop = at
  while stop <= #text do
    if text:find("^[,%[%]{}]", stop) or text:find("^:[%s,%[%]{}]", stop) or text:find("^:$", stop) then break end
    if text:find("^%s#", stop) then break end
    stop = stop + 1
  end
  local word = text:sub(at, stop - 1):gsub("%s+$", ""):gsub("%s*\n%s*", " ")
  self:supported(word)
  return plain(word), stop
end

-- After a value in brackets: past a comma, or at the closing bracket.
function Reader:separator(text, at, closing)
  at = skip(text, at)
  if at > #text then self:fail("a " .. closing .. " is missing: a bracket is not closed") end
  local char = text:sub(at, at)
  if char == "," then return at + 1 end
  if char ~= closing then self:fail("expected , or " .. closing) end
  return at
end

function Reader:flow_seq(text, at)
  local found = seq()
  while true do
    at = skip(text, at)
    if at > #text then self:fail("a [ is not closed") end
    if text:sub(at, at) == "]" then return found, at + 1 end
    local value
    value, at = self:flow(text, at)
    at = skip(text, at)
    if text:sub(at, at) == ":" then -- [a: 1] is a sequence of one mapping
      local one = map()
      local inner
      inner, at = self:flow(text, at + 1)
      put(one, tostring(value), inner)
      value = one
      at = skip(text, at)
    end
    found[#found + 1] = value
    at = self:separator(text, at, "]")
  end
end

function Reader:flow_map(text, at)
  local found = map()
  while true do
    at = skip(text, at)
    if at > #text then self:fail("a { is not closed") end
    if text:sub(at, at) == "}" then return found, at + 1 end
    local key, value
    key, at = self:flow(text, at)
    at = skip(text, at)
    value = yaml.null
    if text:sub(at, at) == ":" then value, at = self:flow(text, at + 1) end
    put(found, tostring(key), value)
    at = skip(text, at)
    at = self:separator(text, at, "}")
  end
end

-- Block ---------------------------------------------------------------------------------------------------------------

function Reader:supported(text)
  local first = text:sub(1, 1)
  if first == "&" or first == "*" or first == "!" then self:fail("anchors, aliases and tags are not read here") end
  if first == "@" or first == "`" or first == "%" then self:fail("a value cannot begin with " .. first) end
end

-- The next line with something on it: its indentation and its text, comments gone.
function Reader:peek()
  while self.at <= #self.lines do
    local raw = self.lines[self.at]
    local indent, text = #raw:match("^ *"), uncomment(raw:match("^ *(.*)$"))
    if text ~= "" then
      self.number = self.at
      if text:sub(1, 1) == "\t" then self:fail("a tab cannot indent") end
      return indent, text
    end
    self.at = self.at + 1
  end
end

-- "key: rest" taken apart, or nothing when it is not that.
function Reader:split(text)
  local first = text:sub(1, 1)
  if first == '"' or first == "'" then
    local key, after = self:quoted(text, 1)
    local rest = after and text:match("^%s*:%s(.*)$", after) or after and text:match("^%s*:$", after) and ""
    if rest then return key, rest end
    return nil
  end
  if first == "[" or first == "{" then return nil end
  if text:find("^%?%s") then self:fail("complex keys are not read here") end
  local key, rest = text:match("^(.-)%s*:%s+(.*)$")
  if not key then key, rest = text:match("^(.-)%s*:$"), "" end
  if not key then return nil end
  self:supported(key)
  return key, rest
end

function Reader:block(least)
  local indent, text = self:peek()
  if not indent or indent < least then return yaml.null end
  if text == "-" or text:find("^%-%s") then return self:sequence(indent) end
  if self:split(text) then return self:mapping(indent) end
  self.at = self.at + 1
  return self:value(text, least - 1)
end

function Reader:sequence(indent)
  local found = seq()
  while true do
    local here, text = self:peek()
    if here ~= indent or not (text == "-" or text:find("^%-%s")) then
      if here and here > indent then self:fail("this line is indented too far") end
      return found
    end
    local raw = self.lines[self.at]
    local lead = #raw:match("^ *%-%s*")
    local content = uncomment(raw:sub(lead + 1))
    if content == "" then
      self.at = self.at + 1
      found[#found + 1] = self:block(indent + 1)
    elseif content:find("^%-%s") or content == "-" or self:split(content) then
      self.lines[self.at] = (" "):rep(lead) .. raw:sub(lead + 1) -- "- a: 1" is a mapping, as if it began there
      found[#found + 1] = self:block(indent + 1)
    else
      self.at = self.at + 1
      found[#found + 1] = self:value(content, indent)
    end
  end
end

function Reader:mapping(indent)
  local found = map()
  while true do
    local here, text = self:peek()
    if here ~= indent then
      if here and here > indent then self:fail("this line is indented too far") end
      return found
    end
    local key, rest = self:split(text)
    if not key then
      if text:find("^%-") then return found end
      self:fail("expected `key: value`")
    end
    if found[key] ~= nil then self:fail("the key " .. key .. " is there twice") end
    self.at = self.at + 1
    if rest ~= "" then
      put(found, key, self:value(rest, indent))
    else
      local below, next_text = self:peek()
      local same = below == indent and (next_text == "-" or next_text:find("^%-%s"))
      put(found, key, self:block(same and indent or indent + 1))
    end
  end
end

-- What stands after "key:" or "-", with the lines below that belong to it; `indent` is the parent's.
function Reader:value(text, indent)
  local first = text:sub(1, 1)
  if first == "|" or first == ">" then return self:scalar_block(text, indent) end
  if first == "[" or first == "{" then return self:whole_flow(text) end
  if first == '"' or first == "'" then return self:whole_quoted(text) end
  self:supported(text)
  local words = { text }
  while true do
    local here, more = self:peek()
    if not here or here <= indent then break end
    if self:split(more) then self:fail("a key cannot stand here") end
    words[#words + 1], self.at = more, self.at + 1
  end
  if #words == 1 then return plain(text) end
  return table.concat(words, " ")
end

function Reader:whole_flow(text)
  local parts = { text }
  while true do
    local joined = table.concat(parts, "\n")
    local done, value, after = pcall(self.flow, self, joined, 1)
    if done then
      if skip(joined, after) <= #joined then self:fail("something follows the closing bracket") end
      return value
    end

    if self.at > #self.lines then error(value, 0) end
    parts[#parts + 1], self.at = self.lines[self.at], self.at + 1
  end
end

function Reader:whole_quoted(text)
  local joined = text
  while true do
    local value, after = self:quoted(joined, 1)
    if after then
      if skip(joined, after) <= #joined then self:fail("something follows the closing quote") end
      return value
    end
    if self.at > #self.lines then self:fail("a quote is not closed") end
    joined, self.at = joined .. "\n" .. self.lines[self.at], self.at + 1
  end
end

function Reader:scalar_block(text, indent)
  local style, marks = text:match("^([|>])([%d+-]*)$")
  if not style then self:fail("expected nothing more after " .. text:sub(1, 1)) end
  local width = tonumber(marks:match("%d"))
  local margin = width and math.max(indent, 0) + width or nil
  local lines = {}
  while self.at <= #self.lines do
    local raw = self.lines[self.at]
    local blank = not raw:find("[^ ]")
    if not blank then
      margin = margin or #raw:match("^ *")
      if #raw:match("^ *") < margin or margin <= indent then break end
    end
    lines[#lines + 1] = blank and raw:sub((margin or #raw) + 1) or raw:sub(margin + 1)
    self.at = self.at + 1
  end
  local trailing = 0
  while #lines > 0 and lines[#lines] == "" do lines[#lines], trailing = nil, trailing + 1 end
  local body = style == "|" and table.concat(lines, "\n") or self.fold(lines)
  if marks:find("-", 1, true) then return body end
  if marks:find("+", 1, true) then return body .. ("\n"):rep(trailing + (#lines > 0 and 1 or 0)) end
  return #lines > 0 and body .. "\n" or ""
end

-- Folded: a line end between two ordinary lines is a space; lines that are indented further keep theirs.
function Reader.fold(lines)
  local out, empty, was_more = nil, 0, false
  for _, line in ipairs(lines) do
    local more = line:find("^[ \t]") ~= nil
    if line == "" then
      empty = empty + 1
    else
      if out == nil then
        out = ("\n"):rep(empty) .. line
      elseif more or was_more then
        out = out .. ("\n"):rep(empty + 1) .. line
      else
        out = out .. (empty > 0 and ("\n"):rep(empty) or " ") .. line
      end
      empty, was_more = 0, more
    end
  end
  return out or ""
end

-- The value of a text, or nothing and what is wrong with it.
function yaml.parse(text)
  local reader = setmetatable({ lines = {}, at = 1 }, Reader)
  text = text:gsub("^\u{feff}", ""):gsub("\r\n", "\n")
  for line in (text .. "\n"):gmatch("(.-)\n") do reader.lines[#reader.lines + 1] = line end
  if text:sub(-1) == "\n" then reader.lines[#reader.lines] = nil end
  for index, line in ipairs(reader.lines) do
    if line:find("^%-%-%-%s*$") then reader.at = index + 1 break end
    if line:find("^%s*[^#%s]") then break end
  end
  for index = reader.at, #reader.lines do
    if reader.lines[index]:find("^%.%.%.%s*$") then
      for last = #reader.lines, index, -1 do reader.lines[last] = nil end
      break
    end
  end
  local done, value = pcall(function()
    local value = reader:block(0)
    if reader:peek() then reader:fail("this does not belong to what is above it") end
    return value
  end)
  if done then return value end
  return nil, type(value) == "table" and value.message or tostring(value)
end

return yaml
