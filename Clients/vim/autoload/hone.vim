vim9script
# Hone in Vim: `:Hone …` from a program file (NAME.hone.json).

import autoload './hone/document.vim'
import autoload './hone/runs.vim'
import autoload './hone/service.vim'
import autoload './hone/text.vim'

# Starts the service for a program file and sets its keys.
export def Attach()
  if !document.Open(bufnr())
    return
  endif
  setlocal omnifunc=hone#document#Omni
  if !get(g:, 'hone_keys', true)
    return
  endif
  for [key, name] in items({
      c: 'compile', e: 'evaluate', k: 'cancel', r: 'runs', t: 'trace', d: 'diff', l: 'load', a: 'actions',
      E: 'estimate', C: 'detach', w: 'watch'})
    execute printf('nnoremap <buffer> <LocalLeader>%s <Cmd>Hone %s<CR>', key, name)
  endfor
  nnoremap <buffer> K <Cmd>Hone hover<CR>
enddef

def Outcome(result: dict<any>): string
  const score = text.Score(get(result, 'score', v:null))
  const baseline = text.Score(get(result, 'baselineScore', v:null))
  const status = get(result, 'status', 'FINISHED')
  var line = score == '-' ? 'no score' : baseline != '-' ? printf('%s, was %s', score, baseline)
    : has_key(result, 'count') ? printf('%s on %s examples', score, result.count) : score
  if type(status) == v:t_string && status != 'FINISHED'
    line = tolower(status) .. ', ' .. line
  endif
  if type(get(result, 'runId')) == v:t_string
    line ..= ', run ' .. text.Short(result.runId)
  endif
  return line .. (get(result, 'simulated', false) == true ? ' (simulated model)' : '')
enddef

def Work(name: string)
  const at = document.At(bufnr())
  if !empty(at)
    service.Work(at.service, name .. ' ' .. expand('%:t'), 'hone.' .. name, {uri: at.uri}, Outcome)
  endif
enddef

export def Compile()
  Work('compile')
enddef

export def Evaluate()
  Work('evaluate')
enddef

# Shows the calls and cost of compiling.
export def Estimate()
  const at = document.At(bufnr())
  if !empty(at)
    runs.Estimate(at.service, at.uri)
  endif
enddef

# Compiles in the shared service: it continues after Vim exits.
export def Detach()
  const at = document.At(bufnr())
  const answer = empty(at) ? null : service.Execute(at.service, 'hone.compile', {uri: at.uri, detach: true})
  if type(answer) == v:t_dict
    text.Tell(printf('compiling in the background as run %s; :Hone watch follows it', text.Short(answer.runId)))
    runs.Refresh()
  endif
enddef

# Follows a run in progress: the one named, or the file's latest.
export def Watch(run = '', from: dict<any> = {})
  const at = empty(from) ? document.At(bufnr()) : {service: from}
  if !empty(at)
    const title = 'watch ' .. (empty(from) ? expand('%:t') : text.Short(run))
    const what = run == '' ? {uri: at.uri} : {run: run}
    service.Work(at.service, title, 'hone.watch', what, Outcome, 'no longer watched; the run continues')
  endif
enddef

# Cancels the work started here, or the run named, whoever started it.
export def Cancel(run = '', from: dict<any> = {})
  if run == ''
    service.Cancel()
    return
  endif
  const any = empty(from) ? service.Any() : from
  const answer = empty(any) ? null : service.Execute(any, 'hone.cancel', {run: run})
  if type(answer) == v:t_dict
    const name = 'run ' .. text.Short(run)
    text.Tell(answer.cancelled > 0 ? 'cancelled ' .. name .. '; finished results are tracked' : name .. ' was not running')
    runs.Refresh()
  endif
enddef

# Shows the runs of this program file; elsewhere, all.
export def Runs()
  if bufname() !~ '\.hone\.json$'
    const any = service.Any()
    if !empty(any)
      runs.Tree({service: any, Watch: Watch, Cancel: Cancel})
    endif
    return
  endif
  const at = document.At(bufnr())
  if !empty(at)
    const buffer = bufnr()
    runs.Tree({
      service: at.service, uri: at.uri, file: bufname(), Load: (run) => LoadInto(buffer, run), Watch: Watch,
      Cancel: Cancel})
  endif
enddef

def FileRuns(at: dict<any>): list<any>
  const answer = service.Execute(at.service, 'hone.runs', {uri: at.uri, onlyFile: true, limit: 50})
  if type(answer) != v:t_dict
    return []
  endif
  if empty(answer.runs)
    text.Warn('this file has no runs yet; :Hone compile or :Hone evaluate starts one')
  endif
  return answer.runs
enddef

# Opens a trace by its id or its run's, or one of the last run of this file.
export def Trace(id = '')
  if id != ''
    const any = service.Any()
    if !empty(any)
      runs.Trace(any, id =~ '^tr-' ? {traceId: id} : {runId: id})
    endif
    return
  endif
  const at = document.At(bufnr())
  const found = empty(at) ? [] : FileRuns(at)
  if !empty(found)
    const Rank = (run: dict<any>): float => type(get(run, 'score')) == v:t_float ? run.score : -1.0
    const children = get(found[0], 'children', [])->copy()->sort((a, b) => float2nr(100 * (Rank(b) - Rank(a))))
    runs.Trace(at.service, {runId: get(children, 0, found[0]).runId})
  endif
enddef

def Flat(all: list<any>): list<any>
  return all->mapnew((_, run) => [run] + Flat(get(run, 'children', [])))->flattennew(1)
enddef

# Compares this file's program with a run's, or two runs.
export def Diff(first = '', second = '')
  if second != ''
    const any = service.Any()
    if !empty(any)
      runs.Diff(any, {run: first}, {run: second})
    endif
    return
  endif
  const at = document.At(bufnr())
  if empty(at)
    return
  endif
  if first != ''
    runs.Diff(at.service, {uri: at.uri}, {run: first})
    return
  endif
  const choices = Flat(FileRuns(at))
  if !empty(choices)
    const Shown = (run: dict<any>): string =>
      join([text.Cell(run.name, 24), text.Score(get(run, 'score', v:null)), text.Short(run.runId)])
    popup_menu(choices->mapnew((_, run) => Shown(run)), {
      title: ' Compare with run ', maxheight: &lines - 6,
      callback: (_, chosen) => chosen > 0 ? runs.Diff(at.service, {uri: at.uri}, {run: choices[chosen - 1].runId}) : 0})
  endif
enddef

# Puts the best program of this file, or of a run, into the file; undo reverts it.
export def Load(run = '')
  LoadInto(bufnr(), run)
enddef

def LoadInto(buffer: number, run: string)
  const at = document.At(buffer)
  if empty(at)
    return
  endif
  const answer = service.Execute(at.service, 'hone.loadBest', extend({uri: at.uri}, run == '' ? {} : {run: run}))
  if type(answer) != v:t_dict
    return
  endif
  document.Apply(answer.edit)
  const score = text.Score(get(answer, 'score', v:null))
  text.Tell(printf('loaded the program of run %s%s', text.Short(answer.runId), score == '-' ? '' : ', score ' .. score))
enddef

# Takes back which keys this file may send where.
export def Forget()
  const at = document.At(bufnr())
  const answer = empty(at) ? null : service.Execute(at.service, 'hone.forgetKeys', {uri: at.uri})
  if type(answer) == v:t_dict
    const gone = mapnew(answer.forgotten, (_, one) => one.variable .. ' to ' .. one.host)->join(', ')
    text.Tell(gone == '' ? 'nothing was allowed for this file' : 'this file may no longer send ' .. text.Line(gone))
  endif
enddef

def RunCommand(name: string)
  const known = {'hone.compile': Compile, 'hone.evaluate': Evaluate, 'hone.loadBest': () => Load()}
  if has_key(known, name)
    known[name]()
  endif
enddef

const subcommands: dict<func> = {
  compile: (_) => Compile(),
  evaluate: (_) => Evaluate(),
  estimate: (_) => Estimate(),
  detach: (_) => Detach(),
  watch: (words) => Watch(get(words, 0, '')),
  cancel: (words) => Cancel(get(words, 0, '')),
  runs: (_) => Runs(),
  trace: (words) => Trace(get(words, 0, '')),
  diff: (words) => Diff(get(words, 0, ''), get(words, 1, '')),
  forget: (_) => Forget(),
  load: (words) => Load(get(words, 0, '')),
  hover: (_) => document.Hover(),
  actions: (_) => document.Actions(RunCommand),
}

# What :Hone does.
export def Command(words: list<string>)
  if has_key(subcommands, words[0])
    subcommands[words[0]](words[1 :])
  else
    text.Warn(printf('"%s" is not one of: %s', words[0], keys(subcommands)->sort()->join(', ')))
  endif
enddef

export def Complete(lead: string, line: string, _: number): list<string>
  return line =~ 'Hone\s\+\S\+\s' ? [] : keys(subcommands)->sort()->filter((_, name) => stridx(name, lead) == 0)
enddef
