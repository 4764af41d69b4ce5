vim9script
# The tree of runs, one run, its traces, two programs compared.

import autoload './outline.vim'
import autoload './service.vim'
import autoload './text.vim'

# How many are shown at first, and how many more each time.
const portion = 200
# What the tree shows.
var shown: dict<any> = {}

def Some(value: any, otherwise: any): any
  return type(value) == type(otherwise) ? value : otherwise
enddef

def Add(lines: list<dict<any>>, run: dict<any>, depth: number, view: dict<any>)
  const status = Some(get(run, 'status'), '')
  const cells = [
    text.Cell(get(run, 'name', ''), 32 - 2 * depth), text.Cell(Some(get(run, 'kind'), ''), 9),
    printf('%6s', text.Score(get(run, 'score', v:null))), text.Cell(status, 9), text.When(run)]
  var line: dict<any> = {
    depth: depth, text: join(cells, '  ')->substitute('\s\+$', '', ''), run: run.runId,
    Open: () => Run(view.service, run.runId)}
  if get(view, 'marked', '') == run.runId
    line.kind = 'marked'
  elseif status =~ 'FAIL\|KILL'
    line.kind = 'failed'
  endif
  add(lines, line)
  for child in Some(get(run, 'children'), [])
    Add(lines, child, depth + 1, view)
  endfor
enddef

# Shows the runs of a program file, or all; {service, uri?, file?, all?, Load?, Watch, Cancel}.
export def Tree(view: dict<any>)
  const inside = has_key(view, 'uri') && !get(view, 'all', false)
  shown = view
  view.limit = get(view, 'limit', portion)
  const answer = service.Execute(view.service, 'hone.runs',
    inside ? {uri: view.uri, onlyFile: true, limit: view.limit} : {limit: view.limit})
  if type(answer) != v:t_dict
    return
  endif
  var lines: list<dict<any>> = [
    {depth: 0, text: inside ? 'Runs of ' .. fnamemodify(view.file, ':t') : 'All runs', kind: 'help'},
    {depth: 0, kind: 'help',
      text: 'Tab fold  CR open  t trace  d compare  l load  w watch  c cancel  s all/this file  R refresh  q back'}]
  for run in answer.runs
    Add(lines, run, 0, view)
  endfor
  if answer.more
    add(lines, {depth: 0, text: '… earlier runs (CR)', kind: 'help', Open: () => More(view)})
  endif
  if len(lines) == 2
    add(lines, {depth: 0, text: 'There are no runs yet. :Hone compile or :Hone evaluate in a program file starts one.'})
  endif
  var here = ''
  var opened: list<string> = []
  if bufname() == 'hone://runs'
    here = get(get(b:hone_lines, line('.') - 1, {}), 'run', '')
    for [index, line] in items(b:hone_lines)
      if has_key(line, 'run') && foldclosed(index + 1) < 0
        add(opened, line.run)
      endif
    endfor
  endif
  outline.Show('hone://runs', lines, {
    t: (line) => OnRun(line, (run) => Trace(view.service, {runId: run})),
    d: (line) => OnRun(line, (run) => Mark(view, run)),
    l: (line) => OnRun(line, (run) => Load(view, run)),
    w: (line) => OnRun(line, (run) => Ask(view, 'Watch', run)),
    c: (line) => OnRun(line, (run) => Ask(view, 'Cancel', run)),
    s: (_) => Switch(view),
    R: (_) => Tree(view),
  }, 0)
  # What was unfolded, and where the cursor was, stays so.
  var at = min([3, len(lines)])
  for [index, line] in items(lines)
    if has_key(line, 'run')
      if index(opened, line.run) >= 0
        execute printf('silent! :%dfoldopen', index + 1)
      endif
      at = line.run == here ? index + 1 : at
    endif
  endfor
  cursor(at, 1)
enddef

def More(view: dict<any>)
  view.limit += portion
  Tree(view)
enddef

# Asks for the runs again where they are shown.
export def Refresh()
  const window = bufwinid('^hone://runs$')
  if window >= 0 && !empty(shown)
    const here = win_getid()
    win_gotoid(window)
    Tree(shown)
    win_gotoid(here)
  endif
enddef

def OnRun(line: dict<any>, Action: func(string))
  if has_key(line, 'run')
    Action(line.run)
  else
    text.Warn('no run on this line')
  endif
enddef

def Load(view: dict<any>, run: string)
  if has_key(view, 'uri')
    view.Load(run)
  else
    text.Warn('open a program file and show the runs from there')
  endif
enddef

# Has a run watched or cancelled.
def Ask(view: dict<any>, what: string, run: string)
  const Act: func(string, dict<any>) = view[what]
  Act(run, view.service)
enddef

def Switch(view: dict<any>)
  if !has_key(view, 'uri')
    text.Warn('all runs are shown; open this from a program file to see its own')
    return
  endif
  view.all = !get(view, 'all', false)
  Tree(view)
enddef

# Marks a run; with one marked, compares the two.
def Mark(view: dict<any>, run: string)
  const marked = get(view, 'marked', '')
  if marked == ''
    view.marked = run
    Tree(view)
    text.Tell('marked; press d on another run, or here to compare with the file')
    return
  endif
  if marked == run && !has_key(view, 'uri')
    text.Warn('choose another run')
    return
  endif
  view.marked = ''
  Diff(view.service, marked == run ? {uri: view.uri} : {run: marked}, {run: run})
enddef

# Shows one run: its figures, settings and traces, the newest so many of them.
export def Run(from: dict<any>, id: string, limit = portion)
  const answer = service.Ask(from, 'getRun', {runId: id})
  const listed = type(answer) == v:t_dict ? service.Ask(from, 'listTraces', {runId: id, maxResults: limit}) : null
  if type(listed) != v:t_dict
    return
  endif
  const run = answer.run
  var lines: list<dict<any>> = [
    {depth: 0, text: run.name .. '  ' .. run.status, kind: 'heading'},
    {depth: 1, text: 'run ' .. id}, {depth: 1, text: text.When(run)}]
  for part in ['metrics', 'params', 'tags']
    const members = Some(get(run, part), {})
    if !empty(members)
      add(lines, {depth: 1, text: part})
    endif
    for name in sort(keys(members))
      add(lines, {depth: 2, text: name .. ': ' .. text.Value(members[name])})
    endfor
  endfor
  if !empty(listed.traces)
    add(lines, {depth: 1, text: printf('traces (%d)', len(listed.traces))})
  endif
  for trace in listed.traces
    const verdicts = Some(get(trace, 'assessments'), [])->mapnew((_, judgement) => text.Value(judgement.value))
    add(lines, {
      depth: 2,
      text: printf('%s  %s  %s', trace.status, join(verdicts), text.Cell(Some(get(trace, 'requestPreview'), ''), 90)),
      Open: () => Trace(from, {traceId: trace.traceId}, listed.traces)})
  endfor
  if type(get(listed, 'nextPageToken')) == v:t_string
    add(lines, {
      depth: 2, text: '… earlier traces (CR)', kind: 'help', Open: () => Run(from, id, limit + portion)})
  endif
  outline.Show('hone://run/' .. text.Short(id), lines, {R: (_) => Run(from, id, limit)}, 2)
enddef

# Shows the calls and cost of compiling a program file.
export def Estimate(from: dict<any>, uri: string)
  const answer = service.Execute(from, 'hone.estimate', {uri: uri})
  if type(answer) == v:t_dict
    outline.Show('hone://estimate', answer.lines, {}, 1)
  endif
enddef

# Shows a trace, {traceId} or {runId}; siblings are those that N and P go to.
export def Trace(from: dict<any>, argument: dict<any>, siblings: list<any> = [], replaces = false)
  const answer = service.Execute(from, 'hone.trace', argument)
  if type(answer) != v:t_dict
    return
  endif
  const others = empty(siblings) ? Some(get(answer, 'traces'), []) : siblings
  const lines = [{
    depth: 0, kind: 'help', text: 'Tab fold  zR/zM all  N/P next, previous trace  q back'}]
  const keys = {
    N: (_) => Beside(from, answer.traceId, others, 1),
    P: (_) => Beside(from, answer.traceId, others, -1),
  }
  const content = answer.lines->mapnew((_, line) => ({depth: line.depth, text: line.text}))
  outline.Show('hone://trace/' .. text.Short(answer.traceId), lines + content, keys, 4, replaces)
enddef

def Beside(from: dict<any>, id: string, traces: list<any>, step: number)
  const place = traces->mapnew((_, trace) => trace.traceId)->index(id)
  if place < 0 || place + step < 0 || place + step >= len(traces)
    text.Warn('no more traces')
  else
    Trace(from, {traceId: traces[place + step].traceId}, traces, true)
  endif
enddef

# Compares two programs, each {uri}, {run} or {path}.
export def Diff(from: dict<any>, left: dict<any>, right: dict<any>)
  const answer = service.Execute(from, 'hone.diff', {left: left, right: right})
  if type(answer) == v:t_dict
    outline.Compare(answer.left, answer.right)
  endif
enddef

service.AfterWork(Refresh)
