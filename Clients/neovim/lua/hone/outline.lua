-- Read-only buffers whose parts fold. How deep a line stands is kept beside the text and never read from it, so that no
-- answer of a model can pass itself off as a part.
local text = require("hone.text")

local M = {}

--- What `foldexpr` says about a line.
function M.level(number)
  local depths = vim.b.hone_depths or {}
  local depth, next_depth = depths[number], depths[number + 1]
  if not depth then return "0" end
  if next_depth and next_depth > depth then return ">" .. (depth + 1) end
  return tostring(depth)
end

--- What a folded part shows: its first line, and how much is below.
function M.folded()
  return ("%s  ▸ %d"):format(vim.fn.getline(vim.v.foldstart), vim.v.foldend - vim.v.foldstart)
end

--- Goes to the buffer of that name: in its window, in place of another of these buffers, or in a new window.
local function open(name, replaces)
  local buffer = vim.fn.bufnr("^" .. vim.fn.escape(name, "[]*?\\") .. "$")
  if buffer < 0 then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, name)
  end
  local window = vim.fn.bufwinid(buffer)
  local current = vim.api.nvim_get_current_buf()
  if window >= 0 then
    vim.api.nvim_set_current_win(window)
  elseif vim.b[current].hone_depths then
    local stack = vim.w.hone_back or {}
    if not replaces then table.insert(stack, current) end
    vim.w.hone_back = stack
    vim.api.nvim_win_set_buf(0, buffer)
  else
    vim.cmd("botright split")
    vim.api.nvim_win_set_buf(0, buffer)
  end
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].modeline = false
  return buffer
end

--- Goes back to what was shown before, or closes the window.
local function back()
  local stack = vim.w.hone_back or {}
  local buffer = table.remove(stack)
  vim.w.hone_back = stack
  if buffer and vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_win_set_buf(0, buffer)
  elseif not pcall(vim.cmd, "close") then
    vim.cmd("enew")
  end
end

local function fold()
  if vim.fn.foldlevel(".") > 0 then vim.cmd("normal! za") end
end

local namespace = vim.api.nvim_create_namespace("hone")

local highlights = { heading = "Title", failed = "ErrorMsg", marked = "Search", help = "Comment" }

--- Shows lines {depth, text, kind?, open?} in a buffer of that name; `keys` are its keys and what they do.
--- @param folds number: how deep parts are open at first
--- @param replaces boolean?: whether going back leads past the buffer shown now
function M.show(name, lines, keys, folds, replaces)
  local buffer = open(name, replaces)
  local texts, depths = {}, {}
  for index, line in ipairs(lines) do
    texts[index] = string.rep("  ", line.depth) .. text.line(line.text)
    depths[index] = line.depth
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, texts)
  vim.bo[buffer].modifiable = false
  vim.b[buffer].hone_depths = depths
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for index, line in ipairs(lines) do
    local deeper = lines[index + 1] and lines[index + 1].depth > line.depth
    local kind = line.kind or (deeper and "heading") or nil
    if kind then
      local shown = { end_col = #texts[index], hl_group = highlights[kind] }
      vim.api.nvim_buf_set_extmark(buffer, namespace, index - 1, 0, shown)
    end
  end
  local window = vim.wo
  window.foldmethod = "expr"
  window.foldexpr = "v:lua.require'hone.outline'.level(v:lnum)"
  window.foldtext = "v:lua.require'hone.outline'.folded()"
  window.foldlevel = folds
  window.foldenable = true
  window.fillchars = "fold: "
  window.wrap = true
  window.breakindent = true
  window.breakindentopt = "shift:2"
  window.number = false
  window.relativenumber = false
  local function map(key, action, what)
    vim.keymap.set("n", key, action, { buffer = buffer, nowait = true, silent = true, desc = what })
  end
  map("<Tab>", fold, "Fold or unfold")
  map("q", back, "Back")
  map("<CR>", function()
    local line = lines[vim.fn.line(".")]
    if line and line.open then return line.open() end
    fold()
  end, "Open")
  for key, action in pairs(keys) do
    map(key, function() action(lines[vim.fn.line(".")] or {}) end)
  end
  return buffer
end

--- Shows two texts side by side in a tab, as Neovim's diff.
function M.compare(left, right)
  vim.cmd("tabnew")
  for index, side in ipairs({ left, right }) do
    if index == 2 then vim.cmd("rightbelow vsplit") end
    local buffer = vim.api.nvim_create_buf(false, true)
    vim.bo[buffer].bufhidden = "wipe"
    vim.bo[buffer].modeline = false
    vim.api.nvim_win_set_buf(0, buffer)
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text.clean(side.text), "\n", { plain = true }))
    pcall(vim.api.nvim_buf_set_name, buffer, ("hone://%d/%s"):format(buffer, text.line(side.title)))
    vim.bo[buffer].modifiable = false
    vim.keymap.set("n", "q", "<Cmd>tabclose<CR>", { buffer = buffer, nowait = true })
    vim.cmd("diffthis")
    vim.wo.wrap = true
  end
end

return M
