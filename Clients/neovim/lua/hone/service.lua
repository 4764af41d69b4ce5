-- The service behind Neovim's own LSP client: starting it, asking it, long work with progress that can be cancelled.
local text = require("hone.text")

local M = {
  --- How the service is started; `setup` sets these.
  options = { cmd = { "hone", "serve" }, attach = false },
  --- Requests with progress, by token.
  jobs = {},
  --- What is done after work has ended.
  after_work = function() end,
}

-- Since 0.11 a client's functions are methods.
local takes_self = vim.fn.has("nvim-0.11") == 1
local function of(client, name, ...)
  if takes_self then return client[name](client, ...) end
  return client[name](...)
end

local function command()
  local cmd = vim.deepcopy(M.options.cmd)
  if M.options.attach then table.insert(cmd, "--attach") end
  return cmd
end

--- The directory whose store a file uses: the nearest with one, the project's, or the file's own.
local function root(path)
  local directory = vim.fn.fnamemodify(path, ":p:h")
  for _, name in ipairs({ ".hone", ".git" }) do
    local above = vim.fn.escape(directory, " ,;") .. ";"
    local found = vim.fn.finddir(name, above)
    if found ~= "" then return vim.fn.fnamemodify(found, ":p:h:h") end
    -- Of a linked worktree.
    local file = vim.fn.findfile(name, above)
    if file ~= "" then return vim.fn.fnamemodify(file, ":p:h") end
  end
  return directory
end

local handlers = {
  ["$/progress"] = function(err, result, context, config)
    local known = vim.lsp.handlers["$/progress"]
    if known then known(err, result, context, config) end
    local job = M.jobs[result.token]
    if job then job:report(result.value) end
  end,
  -- What comes of long work is told from its answer.
  ["window/showMessage"] = function(_, result)
    if next(M.jobs) then return end
    local tell = result.type == 1 and text.fail or result.type == 2 and text.warn or text.tell
    tell(text.clean(result.message))
  end,
  -- Which of the service's answers the person chooses; none where the question is left.
  ["window/showMessageRequest"] = function(_, params)
    local titles = vim.tbl_map(function(action) return action.title end, text.some(params.actions) or {})
    local labels = vim.tbl_map(function(title) return "&" .. text.clean(title) end, titles)
    local choice = vim.fn.confirm("Hone: " .. text.clean(params.message), table.concat(labels, "\n"), #labels, "Question")
    return titles[choice] and { title = titles[choice] } or vim.NIL
  end,
}

--- Starts the service for a buffer, or attaches the one that runs for its directory.
function M.start(buffer)
  local cmd = command()
  if vim.fn.executable(cmd[1]) == 0 then
    local remedy = 'Build Hone, then put it on the PATH or name it: require("hone").setup { cmd = { … } }'
    text.warn(('there is no program "%s". %s'):format(cmd[1], remedy))
    return
  end
  local directory = root(vim.api.nvim_buf_get_name(buffer))
  local config = {
    name = "hone",
    cmd = cmd,
    cmd_cwd = directory,
    root_dir = directory,
    handlers = handlers,
    get_language_id = function() return "hone" end,
    on_attach = function(_, attached)
      vim.schedule(function() M.refresh_lenses(attached) end)
    end,
    on_exit = function(code, signal, client_id)
      vim.schedule(function() M.ended(client_id, code, signal) end)
    end,
  }
  if vim.lsp.start then return vim.lsp.start(config, { bufnr = buffer }) end
  for _, client in pairs(vim.lsp.get_active_clients()) do
    if client.name == "hone" and client.config.root_dir == directory and not client.is_stopped() then
      vim.lsp.buf_attach_client(buffer, client.id)
      return client.id
    end
  end
  local id = vim.lsp.start_client(config)
  if id then vim.lsp.buf_attach_client(buffer, id) end
  return id
end

function M.ended(client_id, code, signal)
  for token, job in pairs(M.jobs) do
    if job.client.id == client_id then
      M.jobs[token] = nil
      text.fail(job.title .. " failed: the service ended. Run the command again; finished results are tracked.")
    end
  end
  if vim.v.exiting == vim.NIL and (code ~= 0 or signal ~= 0) and signal ~= 15 then
    local log = vim.lsp.log and vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
    text.warn("the service ended; the next :Hone command in a program file starts it again. Its last output: " .. log)
  end
end

local function find(buffer)
  local all = vim.lsp.get_clients and vim.lsp.get_clients({ name = "hone" }) or vim.lsp.get_active_clients()
  local any
  for _, client in pairs(all) do
    if client.name == "hone" and not of(client, "is_stopped") then
      if vim.lsp.buf_is_attached(buffer, client.id) then return client, client end
      any = client
    end
  end
  return nil, any
end

--- Asks for what stands behind `program`: the last score, what can be done.
function M.refresh_lenses(buffer)
  local refresh = vim.lsp.codelens and vim.lsp.codelens.refresh
  if M.options.codelens == false or not refresh or not vim.api.nvim_buf_is_valid(buffer) then return end
  -- Neovim 0.7 refreshes no more once it has asked a client that is not there yet.
  if not find(buffer) then return end
  vim.api.nvim_buf_call(buffer, function() pcall(refresh) end)
end

--- The client of a program file, started where it has gone; nil, with a message, where there is none.
function M.client_of(buffer)
  local client = find(buffer)
  if not client and M.start(buffer) then
    vim.wait(20000, function()
      client = find(buffer)
      return client ~= nil
    end, 10)
    if not client then text.fail("the service did not start") end
  end
  return client
end

--- Any client, the buffer's own if it has one; nil, with a message, where there is none.
function M.any_client(buffer)
  local _, any = find(buffer)
  if not any then text.warn("no service is running. Open a program file (NAME.hone.json) first.") end
  return any
end

--- Asks for a method and waits for the answer; nil, with a message, where it failed.
function M.ask(client, method, params)
  local answer, err = of(client, "request_sync", method, params, 60000, vim.api.nvim_get_current_buf())
  if not answer then return text.fail("no answer: " .. tostring(err)) end
  local failure = answer.err or answer.error
  if failure then return text.fail(text.error(failure)) end
  return answer.result
end

--- The result of one of the service's commands, waited for.
function M.execute(client, name, argument)
  if next(argument) == nil then argument = vim.empty_dict() end
  return M.ask(client, "workspace/executeCommand", { command = name, arguments = { argument } })
end

local Job = {}
Job.__index = Job

--- What the work reports, shown in the command line.
function Job:report(value)
  if value.kind == "end" then
    -- Neovim keeps the answer to a cancelled request to itself.
    if self.cancelling then vim.defer_fn(function() self:finish(self.cancelled) end, 100) end
    return
  end
  self.reports = self.reports + 1
  self.percentage = text.some(value.percentage) or self.percentage
  local message = text.line(text.some(value.message) or text.some(value.title) or "")
  local shown = ("Hone: %s %s%s"):format(self.title, self.percentage and self.percentage .. "% " or "", message)
  vim.api.nvim_echo({ { vim.fn.strcharpart(shown, 0, math.max(20, vim.v.echospace)) } }, false, {})
  vim.cmd("redraw")
end

--- Tells what came of it; the hint only where it fits.
function Job:finish(message, failed, hint)
  if not M.jobs[self.token] then return end
  M.jobs[self.token] = nil
  vim.schedule(function()
    M.refresh_lenses(self.buffer)
    M.after_work()
  end)
  local tell = failed and text.fail or text.tell
  message = self.title .. (failed and " failed: " or ": ") .. message
  if hint and vim.fn.strdisplaywidth(message .. hint) + 6 < vim.v.echospace then message = message .. hint end
  tell(message)
end

function Job:cancel()
  self.cancelling = true
  of(self.client, "cancel_request", self.id)
end

local count = 0

--- Runs a command of the service with progress; `outcome` makes one line of its result, and a hint what to do next;
--- `cancelled` is said in place of them.
function M.work(client, title, name, argument, outcome, cancelled)
  count = count + 1
  local job = setmetatable(
    { client = client, title = title, token = ("nvim-%d-%d"):format(vim.fn.getpid(), count),
      buffer = vim.api.nvim_get_current_buf(), reports = 0,
      cancelled = cancelled or "cancelled; finished results are tracked" }, Job)
  M.jobs[job.token] = job
  local params = { command = name, arguments = { argument }, workDoneToken = job.token }
  local sent, id = of(client, "request", "workspace/executeCommand", params, function(failure, result)
    if failure then
      local ended = failure.code == -32800
      job:finish(ended and job.cancelled or text.error(failure), not ended)
    else
      local line, hint = outcome(result)
      job:finish(line, false, hint)
    end
  end, vim.api.nvim_get_current_buf())
  if not sent then return job:finish("the service is not running", true) end
  job.id = id
  return job
end

--- Cancels what runs.
function M.cancel()
  if not next(M.jobs) then return text.warn("nothing is running") end
  for _, job in pairs(M.jobs) do job:cancel() end
end

--- What runs, for a status line.
function M.status()
  local parts = {}
  for _, job in pairs(M.jobs) do
    table.insert(parts, ("[Hone %s %s%%]"):format(job.title, job.percentage or 0))
  end
  return table.concat(parts, " ")
end

return M
