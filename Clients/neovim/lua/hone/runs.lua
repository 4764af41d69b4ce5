-- The tree of runs, one run, its traces, two programs compared.
local outline = require("hone.outline")
local service = require("hone.service")
local text = require("hone.text")

local M = {}

-- How many are shown at first, and how many more each time.
local step = 200

local function failed(status) return status and (status:find("FAIL") or status:find("KILL")) and "failed" or nil end

local function add(lines, run, depth, view)
  local marked = view.marked == run.runId
  local cells = {
    text.cell(run.name or "", 32 - 2 * depth), text.cell(text.some(run.kind) or "", 9),
    ("%6s"):format(text.score(run.score)), text.cell(text.some(run.status) or "", 9), text.when(run),
  }
  table.insert(lines, {
    depth = depth,
    text = table.concat(cells, "  "):gsub("%s+$", ""),
    kind = marked and "marked" or failed(text.some(run.status)),
    run = run.runId,
    open = function() M.run(view.client, run.runId) end,
  })
  for _, child in ipairs(text.some(run.children) or {}) do add(lines, child, depth + 1, view) end
end

--- Shows the runs of a program file, or all; {client, uri?, file?, all?}.
function M.tree(view)
  local inside = view.uri and not view.all
  view.limit = view.limit or step
  local scope = inside and { uri = view.uri, onlyFile = true, limit = view.limit } or { limit = view.limit }
  local answer = service.execute(view.client, "hone.runs", scope)
  if not answer then return end
  local shown = view.buffer == vim.api.nvim_get_current_buf() and view.lines or {}
  local here = (shown[vim.fn.line(".")] or {}).run
  local opened = {}
  for number, line in ipairs(shown) do
    if line.run and vim.fn.foldclosed(number) < 0 then opened[line.run] = true end
  end
  local title = inside and "Runs of " .. vim.fn.fnamemodify(view.file, ":t") or "All runs"
  local help = "Tab fold  CR open  t trace  d compare  l load  w watch  c cancel  s all/this file  R refresh  q back"
  local lines = {
    { depth = 0, text = title, kind = "help" },
    { depth = 0, text = help, kind = "help" },
  }
  for _, run in ipairs(answer.runs) do add(lines, run, 0, view) end
  if answer.more then
    local function more()
      view.limit = view.limit + step
      M.tree(view)
    end
    table.insert(lines, { depth = 0, text = "… earlier runs (CR)", kind = "help", open = more })
  end
  if #lines == 2 then
    local nothing = "There are no runs yet. :Hone compile or :Hone evaluate in a program file starts one."
    table.insert(lines, { depth = 0, text = nothing })
  end
  local function on_run(action)
    return function(line)
      if not line.run then return text.warn("no run on this line") end
      action(line.run)
    end
  end
  view.lines = lines
  M.shown = view
  view.buffer = outline.show("hone://runs", lines, {
    t = on_run(function(run) M.trace(view.client, { runId = run }) end),
    d = on_run(function(run) M.mark(view, run) end),
    l = on_run(function(run)
      if not view.uri then return text.warn("open a program file and show the runs from there") end
      require("hone").load(run, view)
    end),
    w = on_run(function(run) require("hone").watch(run, view.client) end),
    c = on_run(function(run) require("hone").cancel(run, view.client) end),
    s = function()
      if not view.uri then return text.warn("all runs are shown; open this from a program file to see its own") end
      view.all = not view.all
      M.tree(view)
    end,
    R = function() M.tree(view) end,
  }, 0)
  -- What was unfolded, and where the cursor was, stays so.
  local cursor = 3
  for number, line in ipairs(lines) do
    local deeper = lines[number + 1] and lines[number + 1].depth > line.depth
    if line.run and opened[line.run] and deeper then vim.cmd(("silent! %dfoldopen"):format(number)) end
    if line.run and line.run == here then cursor = number end
  end
  vim.api.nvim_win_set_cursor(0, { math.min(cursor, #lines), 0 })
  return view.buffer
end

--- Asks for the runs again where they are shown.
function M.refresh()
  local view = M.shown
  local window = view and view.buffer and vim.fn.bufwinid(view.buffer) or -1
  if window >= 0 and view.buffer ~= vim.api.nvim_get_current_buf() then
    vim.api.nvim_win_call(window, function() M.tree(view) end)
  elseif window >= 0 then
    M.tree(view)
  end
end
service.after_work = M.refresh

--- Marks a run; with one marked, compares the two.
function M.mark(view, run)
  if not view.marked then
    view.marked = run
    M.tree(view)
    return text.tell("marked; press d on another run, or here to compare with the file")
  end
  local left = { run = view.marked }
  if view.marked == run then
    if not view.uri then return text.warn("choose another run") end
    left = { uri = view.uri }
  end
  view.marked = nil
  M.diff(view.client, left, { run = run })
end

--- Shows one run: its figures, settings and traces, the newest `limit` of them.
function M.run(client, id, limit)
  limit = limit or step
  local answer = service.ask(client, "getRun", { runId = id })
  local listed = answer and service.ask(client, "listTraces", { runId = id, maxResults = limit })
  if not listed then return end
  local run = answer.run
  local lines = {
    { depth = 0, text = ("%s  %s"):format(run.name, run.status), kind = "heading" },
    { depth = 1, text = "run " .. id }, { depth = 1, text = text.when(run) },
  }
  for _, part in ipairs({ "metrics", "params", "tags" }) do
    local names = vim.tbl_keys(text.some(run[part]) or {})
    table.sort(names)
    if #names > 0 then table.insert(lines, { depth = 1, text = part }) end
    for _, name in ipairs(names) do
      table.insert(lines, { depth = 2, text = name .. ": " .. text.value(run[part][name]) })
    end
  end
  if #listed.traces > 0 then table.insert(lines, { depth = 1, text = ("traces (%d)"):format(#listed.traces) }) end
  for _, trace in ipairs(listed.traces) do
    local verdicts = {}
    for _, judgement in ipairs(text.some(trace.assessments) or {}) do
      table.insert(verdicts, text.value(judgement.value))
    end
    table.insert(lines, {
      depth = 2,
      text = ("%s  %s  %s"):format(
        trace.status, table.concat(verdicts, " "), text.cell(text.some(trace.requestPreview) or "", 90)),
      open = function() M.trace(client, { traceId = trace.traceId }, listed.traces) end,
    })
  end
  if text.some(listed.nextPageToken) then
    table.insert(lines, {
      depth = 2, text = "… earlier traces (CR)", kind = "help", open = function() M.run(client, id, limit + step) end,
    })
  end
  outline.show("hone://run/" .. text.short(id), lines, { R = function() M.run(client, id, limit) end }, 2)
end

--- Shows the calls and cost of compiling a program file.
function M.estimate(client, uri)
  local answer = service.execute(client, "hone.estimate", { uri = uri })
  return answer and outline.show("hone://estimate", answer.lines, {}, 1)
end

--- Shows a trace, {traceId} or {runId}; `siblings` are those that N and P go to.
function M.trace(client, argument, siblings, replaces)
  local answer = service.execute(client, "hone.trace", argument)
  if not answer then return end
  siblings = siblings or text.some(answer.traces) or {}
  local lines = {
    { depth = 0, text = "Tab fold  zR/zM all  N/P next, previous trace  q back", kind = "help" },
  }
  for _, line in ipairs(answer.lines) do
    table.insert(lines, { depth = line.depth, text = line.text })
  end
  local function go(step)
    return function()
      for index, trace in ipairs(siblings) do
        if trace.traceId == answer.traceId then
          local other = siblings[index + step]
          if not other then return text.warn("no more traces") end
          return M.trace(client, { traceId = other.traceId }, siblings, true)
        end
      end
      text.warn("no more traces")
    end
  end
  return outline.show("hone://trace/" .. text.short(answer.traceId), lines, { N = go(1), P = go(-1) }, 4, replaces)
end

--- Compares two programs, each {uri}, {run} or {path}.
function M.diff(client, left, right)
  local answer = service.execute(client, "hone.diff", { left = left, right = right })
  if answer then outline.compare(answer.left, answer.right) end
end

return M
