-- Hone in Neovim, step by step.
vim.opt.runtimepath:prepend(vim.env.CLIENT)
vim.cmd("runtime plugin/hone.lua")
local hone, service = require("hone"), require("hone.service")
hone.setup({ cmd = { vim.env.HONE, "serve" }, attach = vim.env.ATTACH == "yes" })

local facts, said, shown = {}, {}, {}

local function wait_for(what, condition)
  if not vim.wait(30000, condition, 20) then error("waited too long for " .. what) end
end

local function lines() return vim.api.nvim_buf_get_lines(0, 0, -1, false) end

local function press(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), "xt", false)
end

local function visible_lines()
  local count = 0
  for number = 1, vim.fn.line("$") do
    local closed = vim.fn.foldclosed(number)
    if closed < 0 or closed == number then count = count + 1 end
  end
  return count
end

local function problems()
  return vim.tbl_map(function(one) return { line = one.lnum, message = one.message } end, vim.diagnostic.get(0))
end

local function said_of(pattern)
  for index = #said, 1, -1 do
    if said[index]:find(pattern) then return said[index] end
  end
end

vim.notify = function(message) table.insert(said, message) end
local echo = vim.api.nvim_echo
vim.api.nvim_echo = function(chunks, ...)
  table.insert(shown, chunks[1][1])
  return echo(chunks, ...)
end
vim.ui.select = function(items, _, choose) choose(items[1], 1) end

local function steps()
  vim.cmd("edit words.hone.json")
  wait_for("a problem", function() return #problems() > 0 end)
  facts.problems = problems()
  -- What is offered for it puts it right, as one types on.
  vim.fn.search("numric")
  vim.lsp.buf.code_action()
  wait_for("the correction", function() return vim.fn.search("numeric_match", "nw") > 0 end)
  wait_for("no problem", function() return #problems() == 0 end)
  facts.corrected = lines()
  vim.cmd("write")
  vim.fn.search("numeric_match")
  local position = vim.lsp.util.make_position_params(0, "utf-16")
  local answers = vim.lsp.buf_request_sync(0, "textDocument/completion", position, 5000)
  facts.completion = {}
  for _, answer in pairs(answers) do
    for _, item in ipairs(vim.lsp.util.extract_completion_items and vim.lsp.util.extract_completion_items(answer.result)
      or answer.result.items or answer.result) do
      table.insert(facts.completion, item.label)
    end
  end

  hone.evaluate()
  wait_for("the evaluation", function() return said_of("evaluate words.*: [%d.]+ on") end)
  shown = {}
  hone.compile()
  facts.running = hone.status()
  wait_for("the compile", function() return said_of(", was ") end)
  facts.progress = shown
  facts.outcome = said_of(", was ")

  vim.fn.cursor(1, 1)
  vim.fn.search('"program')
  vim.fn.search("program")
  vim.lsp.buf.hover()
  local hover
  wait_for("the hover", function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= "" then
        hover = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
        return true
      end
    end
  end)
  facts.hover = table.concat(hover, "\n")

  vim.cmd("edit slow.hone.json")
  shown, said = {}, {}
  hone.compile()
  wait_for("progress", function() return #shown > 1 end)
  hone.cancel()
  wait_for("the end of it", function() return said_of("cancelled") end)
  facts.cancelled = said_of("cancelled")
  facts.left = vim.tbl_count(service.jobs)

  -- What it would cost; then one that goes on by itself, is followed, left, and ended from the list of runs.
  hone.estimate()
  facts.estimate, facts.estimate_visible = lines(), visible_lines()
  press("q")
  shown, said = {}, {}
  hone.detach()
  facts.detached = said_of("in the background")
  hone.watch()
  wait_for("its progress", function() return #shown > 0 end)
  hone.cancel()
  wait_for("leaving it", function() return said_of("no longer watched") end)
  facts.watched = said_of("no longer watched")
  hone.runs()
  facts.under_way = lines()
  vim.fn.cursor(3, 1)
  press("c")
  facts.stopped, facts.after_stop = said_of("cancelled run"), lines()
  press("q")

  vim.cmd("edit faulty.hone.json")
  wait_for("problems", function() return #problems() > 1 end)
  facts.faults = problems()

  vim.cmd("edit broken.hone.json")
  said = {}
  hone.compile()
  wait_for("an error", function() return said_of("failed") end)
  facts.error = said_of("failed")

  vim.cmd("edit words.hone.json")
  hone.runs()
  facts.runs, facts.runs_visible = lines(), visible_lines()
  vim.fn.cursor(3, 1)
  press("<Tab>")
  facts.unfolded, facts.unfolded_visible = lines(), visible_lines()
  press("<CR>")
  facts.run = lines()
  press("q")
  vim.fn.cursor(4, 1)
  press("t")
  facts.trace = lines()
  facts.open = visible_lines()
  vim.fn.cursor(2, 1)
  press("<Tab>")
  facts.folded = visible_lines()
  vim.cmd("only")

  vim.cmd("edit hostile.hone.json")
  said = {}
  hone.evaluate()
  wait_for("the evaluation", function() return said_of("hostile.hone.json: ") end)
  hone.trace()
  facts.hostile = lines()
  vim.cmd("only")

  vim.cmd("edit words.hone.json")
  said = {}
  hone.load()
  facts.loaded = table.concat(lines(), "\n")
  facts.told = said_of("loaded")
  vim.cmd("undo")
  facts.undone = lines()
  hone.diff()
  local sides = {}
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    table.insert(sides, table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), "\n"))
  end
  facts["left-text"], facts["right-text"] = sides[1], sides[2]
  facts.differences = vim.wo.diff and 1 or 0
  vim.cmd("tabclose")

  -- A key goes where it was allowed to, once asked.
  vim.cmd("edit keys.hone.json")
  facts.keys, facts.questions = {}, {}
  local confirm = vim.fn.confirm
  for _, choice in ipairs({ 2, 1 }) do
    vim.fn.confirm = function(message)
      table.insert(facts.questions, message)
      return choice
    end
    said = {}
    hone.evaluate()
    local wanted = choice == 2 and "hone keys allow" or "not set"
    wait_for("the error", function() return table.concat(said, " "):find(wanted) end)
    table.insert(facts.keys, table.concat(said, " "))
  end
  vim.fn.confirm = confirm
  said = {}
  hone.forget()
  facts.forgotten = said_of("no longer send")

  -- A service that dies is started again by the next command.
  vim.cmd("edit words.hone.json")
  said = {}
  vim.fn.system({ "pkill", "-KILL", "-P", tostring(vim.fn.getpid()), "-f", "serve" })
  wait_for("its end", function() return said_of("the service ended") end)
  hone.evaluate()
  wait_for("the evaluation", function() return said_of("words.hone.json: [%d.]+ on") end)
  facts.revived = said_of("words.hone.json: [%d.]+ on")
  hone.setup({ cmd = { "/nowhere/hone", "serve" } })
  vim.cmd("edit elsewhere/words.hone.json")
  facts.missing = said_of("no program")
end

vim.defer_fn(function()
  local well, failure = xpcall(steps, debug.traceback)
  if not well then facts.failure = tostring(failure) end
  facts.messages = said
  vim.fn.writefile({ vim.json.encode(facts) }, vim.env.FACTS)
  vim.cmd("qall!")
end, 100)
