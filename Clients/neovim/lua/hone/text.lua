-- Texts for a person: what a model wrote made harmless, errors with what to do next, figures.
local M = {}

local function visible(code)
  if code < 0x20 then return vim.fn.nr2char(0x2400 + code) end
  if code == 0x7f then return vim.fn.nr2char(0x2421) end
  return string.format("<U+%04X>", code)
end

--- Text with control characters made visible, and those that are invisible or turn the direction of text shown by their
--- number. Line ends and tabs stay.
function M.clean(text)
  text = tostring(text):gsub("\r\n", "\n")
  text = text:gsub("[%z\1-\8\11-\31\127]", function(byte) return visible(byte:byte()) end)
  text = text:gsub("\194([\128-\159])", function(byte) return visible(byte:byte()) end)
  text = text:gsub("\216\156", function() return visible(0x61c) end)
  text = text:gsub("\226\128([\139-\143\168-\174])", function(byte) return visible(0x2000 + byte:byte() - 128) end)
  text = text:gsub("\226\129([\160-\169])", function(byte) return visible(0x2040 + byte:byte() - 128) end)
  return (text:gsub("\239\187\191", function() return visible(0xfeff) end))
end

--- The same on one line.
function M.line(text)
  return (M.clean(text):gsub("\n", "␤"):gsub("\t", " "))
end

--- The end of an id; how ids begin tells little but when they were made.
function M.short(id) return "…" .. id:sub(-8) end

--- What is there: nil for JSON's null too.
function M.some(value)
  if value == vim.NIL then return nil end
  return value
end

--- Text cut or filled to so many columns.
function M.cell(text, width)
  text = M.line(text)
  if vim.fn.strdisplaywidth(text) > width then
    text = vim.fn.strcharpart(text, 0, width - 1)
    while vim.fn.strdisplaywidth(text) > width - 1 do text = vim.fn.strcharpart(text, 0, vim.fn.strchars(text) - 1) end
    text = text .. "…"
  end
  return text .. string.rep(" ", width - vim.fn.strdisplaywidth(text))
end

--- A value as a person writes it.
function M.value(value)
  if value == true then return "yes" end
  if value == false then return "no" end
  if value == nil or value == vim.NIL then return "-" end
  if type(value) == "number" and value == math.floor(value) and math.abs(value) < 1e15 then
    return string.format("%d", value)
  end
  if type(value) == "table" then return vim.inspect(value, { newline = " ", indent = "" }) end
  return tostring(value)
end

function M.score(value)
  value = M.some(value)
  return value and string.format("%.2f", value) or "-"
end

--- When a run began, and how long it took.
function M.when(run)
  local start, duration = M.some(run.startTime), M.some(run.duration)
  local text = ""
  if type(start) == "string" then
    local year, month, day, hour, minute, second = start:match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
    if year then
      local as_local = os.time({ year = year, month = month, day = day, hour = hour, min = minute, sec = second })
      local here = os.time() - os.time(os.date("!*t"))
      text = os.date("%Y-%m-%d %H:%M", as_local + here)
    end
  end
  return duration and string.format("%s  %.1f s", text, duration) or text
end

--- An error of the service: what is wrong, each part of it, what to do next.
function M.error(failure)
  if type(failure) ~= "table" then return M.clean(failure) end
  local data = type(failure.data) == "table" and failure.data or {}
  local lines = { M.some(failure.message) or "The service gave no message." }
  -- A single problem is in the message already.
  local problems = M.some(data.problems) or {}
  for _, problem in ipairs(#problems > 1 and problems or {}) do
    local hint = M.some(problem.suggestion) and (' Did you mean "%s"?'):format(problem.suggestion) or ""
    table.insert(lines, ("  - %s: %s%s"):format(problem.path or "", problem.message or "", hint))
  end
  if M.some(data.remedy) then table.insert(lines, data.remedy) end
  return M.clean(table.concat(lines, "\n"))
end

function M.tell(message) vim.notify("Hone: " .. message, vim.log.levels.INFO) end

function M.warn(message) vim.notify("Hone: " .. message, vim.log.levels.WARN) end

function M.fail(message) vim.notify("Hone: " .. message, vim.log.levels.ERROR) end

return M
