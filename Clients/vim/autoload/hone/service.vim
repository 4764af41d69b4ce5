vim9script
# The service behind a channel in Vim's `lsp` mode: starting it, asking it, long work with progress that can be
# cancelled.

import autoload './text.vim'

# Running services by the directory of their store.
var services: dict<dict<any>> = {}
# Requests with progress, by token.
var jobs: dict<dict<any>> = {}
# What takes the service's notifications, by method.
var listeners: dict<func> = {}
var count = 0
# What is done after work has ended.
var After: func() = () => {
}

export def AfterWork(Do: func())
  After = Do
enddef

export def Listen(method: string, Listener: func)
  listeners[method] = Listener
enddef

export def Uri(path: string): string
  const full = fnamemodify(path, ':p')
  return 'file://' .. substitute(full, '[^A-Za-z0-9_.~/-]', (found) => Escaped(found[0]), 'g')
enddef

def Escaped(character: string): string
  # A string's bytes, one by one: strpart counts bytes, and a byte alone is its own number.
  return range(strlen(character))
    ->mapnew((_, index) => printf('%%%02X', char2nr(strpart(character, index, 1)) % 256))->join('')
enddef

# The directory whose store a file uses: the nearest with one, the project's, or the file's own.
def Root(path: string): string
  const directory = fnamemodify(path, ':p:h')
  for name in ['.hone', '.git']
    const above = escape(directory, ' ,;') .. ';'
    const found = finddir(name, above)
    if found != ''
      return fnamemodify(found, ':p:h:h')
    elseif findfile(name, above) != ''
      # Of a linked worktree.
      return fnamemodify(findfile(name, above), ':p:h')
    endif
  endfor
  return directory
enddef

# Whether a service runs. A channel may stay open for a moment after its process has gone.
export def Runs(service: dict<any>): bool
  return job_status(service.job) == 'run' && ch_status(service.channel) == 'open'
enddef

# The service for a file, started if there is none; empty, with a message, where that fails.
export def For(path: string): dict<any>
  const attached = get(g:, 'hone_attach', false)
  const root = Root(path)
  if has_key(services, root) && Runs(services[root])
    return services[root]
  endif
  const command: list<string> = get(g:, 'hone_command', ['hone', 'serve']) + (attached ? ['--attach'] : [])
  if !executable(command[0])
    const remedy = 'Build Hone, then put it on the PATH or name it: let g:hone_command = ["…/hone", "serve"]'
    text.Warn(printf('there is no program "%s". %s', command[0], remedy))
    return {}
  endif
  var service: dict<any> = {root: root, words: []}
  const job = job_start(command, {
    in_mode: 'lsp', out_mode: 'lsp', err_mode: 'nl', cwd: root, noblock: 1,
    out_cb: (channel, message) => Receive(service, message),
    err_cb: (_, line) => Remember(service, line),
    exit_cb: (_, status) => Ended(service, status),
  })
  service.job = job
  service.channel = job_getchannel(job)
  const answer = ch_evalexpr(service.channel, {method: 'initialize', params: {
    processId: getpid(), clientInfo: {name: 'Vim', version: string(v:versionlong)}, rootUri: Uri(root),
    capabilities: {
      textDocument: {
        publishDiagnostics: {versionSupport: true}, hover: {contentFormat: ['plaintext']},
        codeAction: {codeActionLiteralSupport: {codeActionKind: {valueSet: ['', 'quickfix', 'source']}}}}}}},
    {timeout: 20000})
  if type(answer) != v:t_dict || !has_key(answer, 'result')
    job_stop(job)
    text.Fail(['the service did not start: ' .. join(command)] + service.words)
    return {}
  endif
  Notify(service, 'initialized', {})
  services[root] = service
  return service
enddef

# Any service that runs; empty, with a message, where there is none.
export def Any(): dict<any>
  for service in values(services)
    if Runs(service)
      return service
    endif
  endfor
  text.Warn('no service is running. Open a program file (NAME.hone.json) first.')
  return {}
enddef

def Remember(service: dict<any>, line: string)
  service.words = (service.words + [text.Clean(line)])[-5 :]
enddef

def Ended(service: dict<any>, status: number)
  if has_key(services, service.root) && services[service.root] is service
    remove(services, service.root)
  endif
  for work in values(jobs)->filter((_, work) => work.service is service)
    Finish(work, ['the service ended. Run the command again; finished results are tracked.'] + service.words, true)
  endfor
enddef

def Receive(service: dict<any>, message: dict<any>)
  const method = get(message, 'method', '')
  const params = get(message, 'params', {})
  if has_key(message, 'id')
    if method == 'window/showMessageRequest'
      Choose(service, message.id, params)
    elseif method != ''
      # Nothing that the service may ask of an editor was promised to it.
      const refusal = {code: -32601, message: 'Vim does not know ' .. method .. '.'}
      ch_sendexpr(service.channel, {id: message.id, error: refusal})
    endif
  elseif method == '$/progress'
    if has_key(jobs, string(params.token))
      Report(jobs[string(params.token)], params.value)
    endif
  elseif method == 'window/showMessage'
    # What comes of long work is told from its answer.
    if empty(jobs)
      if params.type == 1
        text.Fail(text.Clean(params.message)->split("\n"))
      else
        text.Tell(text.Line(params.message))
      endif
    endif
  elseif has_key(listeners, method)
    listeners[method](service, params)
  endif
enddef

# Asks the person, and tells the service what was chosen.
def Choose(service: dict<any>, id: any, params: dict<any>)
  const titles = mapnew(get(params, 'actions', []), (_, action) => action.title)
  popup_menu(mapnew(titles, (_, title) => text.Line(title)), {
    title: ' Hone: ' .. text.Line(params.message) .. ' ',
    callback: (_, choice) => {
      if Runs(service)
        const chosen = choice > 0 ? {title: titles[choice - 1]} : v:null
        ch_sendexpr(service.channel, {id: id, result: chosen})
      endif
    },
  })
enddef

export def Notify(service: dict<any>, method: string, params: dict<any>)
  ch_sendexpr(service.channel, {method: method, params: params})
enddef

# The answer to a request, waited for; null, with a message, where it failed.
export def Ask(service: dict<any>, method: string, params: dict<any>, quiet = false): any
  const answer = ch_evalexpr(service.channel, {method: method, params: params}, {timeout: quiet ? 2000 : 60000})
  if type(answer) == v:t_dict && has_key(answer, 'result')
    return answer.result
  endif
  if !quiet
    const refused = type(answer) == v:t_dict && has_key(answer, 'error')
    text.Fail(refused ? text.Error(answer.error) : ['the service does not answer.'])
  endif
  return null
enddef

# The result of one of the service's commands, waited for.
export def Execute(service: dict<any>, name: string, argument: dict<any>): any
  return Ask(service, 'workspace/executeCommand', {command: name, arguments: [argument]})
enddef

# Runs a command of the service with progress. Outcome makes one line of its result; cancelled is shown on cancellation.
export def Work(
    service: dict<any>, title: string, name: string, argument: dict<any>, Outcome: func(dict<any>): string,
    cancelled = 'cancelled; finished results are tracked')
  count += 1
  const token = printf('vim-%d-%d', getpid(), count)
  var work: dict<any> = {service: service, title: title, token: token, reports: 0, percentage: 0, popup: 0,
    cancelled: cancelled}
  jobs[string(token)] = work
  const sent = ch_sendexpr(service.channel, {
    method: 'workspace/executeCommand', params: {command: name, arguments: [argument], workDoneToken: token},
  }, {callback: (_, answer) => Answered(work, answer, Outcome)})
  work.id = sent.id
  Draw(work, 'starting')
enddef

def Answered(work: dict<any>, answer: dict<any>, Outcome: func(dict<any>): string)
  if has_key(answer, 'result')
    Finish(work, [Outcome(answer.result)], false)
  elseif answer.error.code == -32800
    Finish(work, [work.cancelled], false)
  else
    Finish(work, text.Error(answer.error), true)
  endif
enddef

def Report(work: dict<any>, value: dict<any>)
  if value.kind == 'report'
    work.reports += 1
    work.percentage = get(value, 'percentage', work.percentage)
    Draw(work, get(value, 'message', ''))
  endif
enddef

# Progress in the corner, and what ends it.
def Draw(work: dict<any>, message: string)
  const full = 24
  const done = work.percentage * full / 100
  const lines = [
    text.Cell(work.title, 40) .. printf('%3d %%', work.percentage),
    repeat('█', done) .. repeat('░', full - done) .. '  :Hone cancel',
    text.Cell(message, 60),
  ]
  if work.popup > 0 && !empty(popup_getpos(work.popup))
    popup_settext(work.popup, lines)
  else
    work.popup = popup_create(lines, {
      line: &lines - 2, col: &columns, pos: 'botright', border: [], padding: [0, 1, 0, 1], title: ' Hone ', zindex: 100,
      highlight: 'Pmenu'})
  endif
  redraw
enddef

def Finish(work: dict<any>, lines: list<string>, failed: bool)
  remove(jobs, string(work.token))
  popup_close(work.popup)
  timer_start(0, (_) => After())
  const said = [work.title .. (failed ? ' failed: ' : ': ') .. lines[0]] + lines[1 :]
  if failed
    text.Fail(said)
  else
    text.Tell(text.Fitting(said[0]))
  endif
  redraw
enddef

# What runs.
export def Jobs(): list<dict<any>>
  return values(jobs)
enddef

# Cancels what runs.
export def Cancel()
  if empty(jobs)
    text.Warn('nothing is running')
  endif
  for work in values(jobs)
    Notify(work.service, '$/cancelRequest', {id: work.id})
  endfor
enddef
