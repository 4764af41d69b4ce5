-- Hone in Neovim: `:Hone …` from a program file (NAME.hone.json).
local runs = require("hone.runs")
local service = require("hone.service")
local text = require("hone.text")

local M = {}

--- Options: `cmd` {"hone", "serve"}, `attach` (share the store's service), `keys` (false for none),
--- `codelens` (false for none).
function M.setup(options)
  service.options = vim.tbl_extend("force", service.options, options or {})
end

local keys = {
  c = "compile", e = "evaluate", k = "cancel", r = "runs", t = "trace", d = "diff", l = "load", a = "actions",
  E = "estimate", C = "detach", w = "watch",
}

--- Starts the service for a program file and sets its keys.
function M.attach(buffer)
  if vim.bo[buffer].filetype == "" then vim.bo[buffer].filetype = "json" end
  if not service.start(buffer) then return end
  if service.options.codelens ~= false then
    vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave", "BufWritePost" }, {
      buffer = buffer,
      callback = function() service.refresh_lenses(buffer) end,
    })
  end
  if service.options.keys == false then return end
  for key, name in pairs(keys) do
    local what = { buffer = buffer, desc = "Hone: " .. name }
    vim.keymap.set("n", "<LocalLeader>" .. key, "<Cmd>Hone " .. name .. "<CR>", what)
  end
  if vim.fn.mapcheck("K", "n") == "" then
    vim.keymap.set("n", "K", vim.lsp.buf.hover, { buffer = buffer, desc = "Hone: last score, what a member means" })
  end
  vim.bo[buffer].omnifunc = "v:lua.vim.lsp.omnifunc"
end

--- The current program file and its client; nil, with a message, if there is none.
local function here()
  local path = vim.api.nvim_buf_get_name(0)
  if not path:find("%.hone%.json$") then
    text.warn("this is not a program file (NAME.hone.json)")
    return
  end
  local client = service.client_of(vim.api.nvim_get_current_buf())
  return client and { client = client, uri = vim.uri_from_bufnr(0), file = path }
end

local function outcome(result)
  local score, baseline, status = text.some(result.score), text.some(result.baselineScore), text.some(result.status)
  local line = "no score"
  if score and baseline then
    line = ("%.2f, was %.2f"):format(score, baseline)
  elseif score and not text.some(result.count) then
    line = ("%.2f"):format(score)
  elseif score then
    line = ("%.2f on %s examples"):format(score, text.value(result.count))
  end
  if status and status ~= "FINISHED" then line = status:lower() .. ", " .. line end
  if text.some(result.runId) then line = line .. ", run " .. text.short(result.runId) end
  if text.some(result.simulated) then line = line .. " (simulated model)" end
  return text.line(line), baseline and "; :Hone load puts it into the file" or nil
end

local function work(name)
  local at = here()
  if not at then return end
  local title = name .. " " .. vim.fn.fnamemodify(at.file, ":t")
  return service.work(at.client, title, "hone." .. name, { uri = at.uri }, outcome)
end

function M.compile() return work("compile") end

function M.evaluate() return work("evaluate") end

--- Shows the calls and cost of compiling.
function M.estimate()
  local at = here()
  return at and runs.estimate(at.client, at.uri)
end

--- Compiles in the shared service: it continues after Neovim exits.
function M.detach()
  local at = here()
  local answer = at and service.execute(at.client, "hone.compile", { uri = at.uri, detach = true })
  if not answer then return end
  text.tell(("compiling in the background as run %s; :Hone watch follows it"):format(text.short(answer.runId)))
  runs.refresh()
  return answer.runId
end

--- Follows a run in progress: the one named, or the file's latest.
function M.watch(run, client)
  local at = not client and here()
  if not (client or at) then return end
  local title = "watch " .. (at and vim.fn.fnamemodify(at.file, ":t") or text.short(run))
  local what = run and { run = run } or { uri = at.uri }
  return service.work(client or at.client, title, "hone.watch", what, outcome, "no longer watched; the run continues")
end

--- Cancels the work started here, or the run named, whoever started it.
function M.cancel(run, client)
  if not run then return service.cancel() end
  client = client or service.any_client(vim.api.nvim_get_current_buf())
  local answer = client and service.execute(client, "hone.cancel", { run = run })
  if not answer then return end
  local said = answer.cancelled > 0 and "cancelled run %s; finished results are tracked" or "run %s was not running"
  text.tell(said:format(text.short(run)))
  runs.refresh()
end

M.status = service.status

--- Shows the runs of this program file; elsewhere, all.
function M.runs()
  local inside = vim.api.nvim_buf_get_name(0):find("%.hone%.json$")
  local view = inside and here() or { client = service.any_client(vim.api.nvim_get_current_buf()) }
  if view.client then return runs.tree(view) end
end

--- Opens a trace by its id, or one of the last run of this file.
function M.trace(id)
  local client = service.any_client(vim.api.nvim_get_current_buf())
  if not client then return end
  if id then return runs.trace(client, id:find("^tr%-") and { traceId = id } or { runId = id }) end
  local at = here()
  local answer = at and service.execute(client, "hone.runs", { uri = at.uri, onlyFile = true, limit = 20 })
  if not answer then return end
  local run = answer.runs[1]
  if not run then return text.warn("this file has no runs yet; :Hone evaluate starts one") end
  local best = run
  for _, child in ipairs(text.some(run.children) or {}) do
    if best == run or (text.some(child.score) or -1) > (text.some(best.score) or -1) then best = child end
  end
  return runs.trace(client, { runId = best.runId })
end

--- Compares this file's program with a run's, or two runs.
function M.diff(first, second)
  if first and second then
    local client = service.any_client(vim.api.nvim_get_current_buf())
    return client and runs.diff(client, { run = first }, { run = second })
  end
  local at = here()
  if not at then return end
  if first then return runs.diff(at.client, { uri = at.uri }, { run = first }) end
  local answer = service.execute(at.client, "hone.runs", { uri = at.uri, onlyFile = true, limit = 50 })
  if not answer then return end
  local choices = {}
  local function add(run)
    table.insert(choices, run)
    for _, child in ipairs(text.some(run.children) or {}) do add(child) end
  end
  for _, run in ipairs(answer.runs) do add(run) end
  if #choices == 0 then return text.warn("there are no runs yet; :Hone compile starts one") end
  vim.ui.select(choices, {
    prompt = "Compare with run",
    format_item = function(run)
      return ("%s %s %s"):format(text.cell(run.name, 24), text.score(run.score), text.short(run.runId))
    end,
  }, function(run)
    if run then runs.diff(at.client, { uri = at.uri }, { run = run.runId }) end
  end)
end

--- Puts the best program of this file, or of a run, into the file; undo reverts it.
function M.load(run, view)
  local at = view or here()
  if not at then return end
  local answer = service.execute(at.client, "hone.loadBest", { uri = at.uri, run = run })
  if not answer then return end
  if text.some(answer.applied) ~= true then vim.lsp.util.apply_workspace_edit(answer.edit, "utf-16") end
  local score = text.some(answer.score) and ", score " .. text.score(answer.score) or ""
  text.tell(("loaded the program of run %s%s"):format(text.short(answer.runId), score))
end

--- Takes back which keys this file may send where.
function M.forget()
  local at = here()
  local answer = at and service.execute(at.client, "hone.forgetKeys", { uri = at.uri })
  if not answer then return end
  local gone = table.concat(vim.tbl_map(function(one) return one.variable .. " to " .. one.host end, answer.forgotten), ", ")
  text.tell(gone == "" and "nothing was allowed for this file" or "this file may no longer send " .. text.clean(gone))
end

vim.lsp.commands["hone.compile"] = function() M.compile() end
vim.lsp.commands["hone.evaluate"] = function() M.evaluate() end
vim.lsp.commands["hone.loadBest"] = function() M.load() end

local subcommands = {
  compile = M.compile, evaluate = M.evaluate, runs = M.runs, trace = M.trace, diff = M.diff,
  estimate = M.estimate, detach = M.detach,
  watch = function(run) M.watch(run) end, cancel = function(run) M.cancel(run) end,
  load = function(run) M.load(run) end, forget = function() M.forget() end, hover = function() vim.lsp.buf.hover() end,
  actions = function() vim.lsp.buf.code_action() end,
}

--- What `:Hone` does.
function M.command(words)
  local action = subcommands[words[1]]
  if not action then
    return text.warn(('"%s" is not one of: %s'):format(words[1], table.concat(M.complete("", "Hone "), ", ")))
  end
  action(words[2], words[3])
end

function M.complete(lead, line)
  if line:find("Hone%s+%S+%s") then return {} end
  local names = vim.tbl_filter(function(name) return name:sub(1, #lead) == lead end, vim.tbl_keys(subcommands))
  table.sort(names)
  return names
end

return M
