vim9script
# Program files: the service is told of their text and what it says about them is shown.

import autoload './service.vim'
import autoload './text.vim'

# Open documents by buffer: their service, version, timer and problems.
var documents: dict<dict<any>> = {}

const types = {1: ['HoneError', 'SpellBad', 'ErrorMsg', 'E>'], 2: ['HoneWarning', 'SpellCap', 'WarningMsg', 'W>']}
for [name, underline, message, sign] in values(types)
  prop_type_add(name, {highlight: underline, override: true})
  prop_type_add(name .. 'Text', {highlight: message})
  sign_define(name, {text: sign, texthl: message})
endfor

# Positions

# Where LSP's position (in UTF-16 units) is in a line's text, in bytes.
def ByteOf(line: string, units: number): number
  var left = units
  var index = 0
  for character in split(line, '\zs')
    if left <= 0
      break
    endif
    left -= char2nr(character) > 0xffff ? 2 : 1
    index += strlen(character)
  endfor
  return index
enddef

def Position(): dict<number>
  const before = strpart(getline('.'), 0, col('.') - 1)
  const units = split(before, '\zs')->mapnew((_, character) => char2nr(character) > 0xffff ? 2 : 1)
  return {line: line('.') - 1, character: reduce(units, (sum, unit) => sum + unit, 0)}
enddef

# A range as lines and byte columns from 1, its end behind it.
def Place(buffer: number, range: dict<any>): list<number>
  const [first, last] = [range.start.line + 1, range.end.line + 1]
  const start = get(getbufline(buffer, first), 0, '')
  const end = get(getbufline(buffer, last), 0, '')
  return [first, ByteOf(start, range.start.character) + 1, last, ByteOf(end, range.end.character) + 1]
enddef

# Makes the changes of a workspace edit.
export def Apply(edit: dict<any>)
  for [uri, edits] in items(get(edit, 'changes', {}))
    const buffer = FromUri(uri)
    if buffer < 0
      text.Fail('the file to change is not open: ' .. text.Line(uri))
      continue
    endif
    const view = winsaveview()
    for change in sort(copy(edits), (a, b) => b.range.start.line - a.range.start.line)
      const [first, start, last, end] = Place(buffer, change.range)
      const before = strpart(getbufline(buffer, first)[0], 0, start - 1)
      const after = strpart(getbufline(buffer, last)[0], end - 1)
      appendbufline(buffer, last, split(before .. change.newText .. after, "\n", true))
      deletebufline(buffer, first, last)
    endfor
    winrestview(view)
    Send(buffer)
  endfor
enddef

def FromUri(uri: string): number
  for [buffer, document] in items(documents)
    if document.uri == uri
      return str2nr(buffer)
    endif
  endfor
  return -1
enddef

# Telling the service

export def Open(buffer: number): bool
  const path = fnamemodify(bufname(buffer), ':p')
  const found = service.For(path)
  if empty(found)
    return false
  endif
  documents[buffer] = {
    service: found, uri: service.Uri(path), version: 1, timer: 0, problems: [],
    ticks: getbufvar(buffer, 'changedtick')}
  service.Notify(found, 'textDocument/didOpen', {textDocument: {
    uri: documents[buffer].uri, languageId: 'hone', version: 1, text: Text(buffer)}})
  execute printf('augroup hone_%d', buffer)
  autocmd!
  execute printf('autocmd TextChanged,TextChangedI,TextChangedP <buffer=%d> hone#document#Changed(%d)', buffer, buffer)
  execute printf('autocmd BufWritePost <buffer=%d> hone#document#Saved(%d)', buffer, buffer)
  execute printf('autocmd BufUnload <buffer=%d> hone#document#Close(%d)', buffer, buffer)
  execute printf('autocmd CursorHold <buffer=%d> hone#document#Say()', buffer)
  augroup END
  return true
enddef

def Text(buffer: number): string
  return getbufline(buffer, 1, '$')->join("\n") .. "\n"
enddef

# The document of a buffer and its service, which knows its text as it is now; empty, with a message, if there is none.
export def At(buffer: number): dict<any>
  if bufname(buffer) !~ '\.hone\.json$'
    text.Warn('this is not a program file (NAME.hone.json)')
    return {}
  endif
  if !has_key(documents, buffer) || !service.Runs(documents[buffer].service)
    if !Open(buffer)
      return {}
    endif
  endif
  Send(buffer)
  return documents[buffer]
enddef

export def Changed(buffer: number)
  const document = documents[buffer]
  timer_stop(document.timer)
  document.timer = timer_start(200, (_) => Send(buffer))
enddef

def Send(buffer: number)
  const document = get(documents, buffer, {})
  if empty(document) || !service.Runs(document.service) || document.ticks == getbufvar(buffer, 'changedtick')
    return
  endif
  timer_stop(document.timer)
  document.ticks = getbufvar(buffer, 'changedtick')
  document.version += 1
  service.Notify(document.service, 'textDocument/didChange', {
    textDocument: {uri: document.uri, version: document.version}, contentChanges: [{text: Text(buffer)}]})
enddef

export def Saved(buffer: number)
  Send(buffer)
  const document = documents[buffer]
  if service.Runs(document.service)
    service.Notify(document.service, 'textDocument/didSave', {textDocument: {uri: document.uri}})
  endif
enddef

export def Close(buffer: number)
  const document = documents[buffer]
  timer_stop(document.timer)
  if service.Runs(document.service)
    service.Notify(document.service, 'textDocument/didClose', {textDocument: {uri: document.uri}})
  endif
  remove(documents, buffer)
enddef

# What it says

def Take(from: dict<any>, params: dict<any>)
  const buffer = FromUri(params.uri)
  if buffer < 0 || documents[buffer].service isnot from
    return
  endif
  const document = documents[buffer]
  const version = get(params, 'version')
  if type(version) == v:t_number && has_key(params, 'version') && version != document.version
    return
  endif
  document.problems = params.diagnostics
  Draw(buffer)
enddef

# Shows the problems: underlined, with a sign, and their text behind the line.
def Draw(buffer: number)
  for [name, _, _, _] in values(types)
    prop_remove({type: name, bufnr: buffer, all: true})
    prop_remove({type: name .. 'Text', bufnr: buffer, all: true})
  endfor
  sign_unplace('hone', {buffer: buffer})
  const lines = getbufinfo(buffer)[0].linecount
  var entries: list<dict<any>> = []
  for problem in documents[buffer].problems
    var [first, start, last, end] = Place(buffer, problem.range)
    if first > lines
      [first, start, last, end] = [lines, 1, lines, 1]
    endif
    const message = text.Line(problem.message)
    const name = types[problem.severity == 1 ? 1 : 2][0]
    if [first, start] != [last, end]
      prop_add(first, start, {type: name, bufnr: buffer, end_lnum: min([last, lines]), end_col: last > lines ? 1 : end})
    endif
    if has('patch-9.0.0067')
      prop_add(first, 0, {type: name .. 'Text', bufnr: buffer, text: '  ■ ' .. message, text_align: 'after'})
    endif
    sign_place(0, 'hone', name, buffer, {lnum: first})
    add(entries, {bufnr: buffer, lnum: first, col: start, end_lnum: last, end_col: end, text: message, type: name[4]})
  endfor
  for window in win_findbuf(buffer)
    setloclist(window, [], ' ', {title: 'Hone', items: entries})
  endfor
enddef

def Here(buffer: number): list<dict<any>>
  return documents[buffer].problems->copy()
    ->filter((_, problem) => problem.range.start.line < line('.') && problem.range.end.line + 1 >= line('.'))
enddef

# The problems of a buffer, as the service gave them.
export def Problems(buffer: number): list<dict<any>>
  return get(documents, buffer, {problems: []}).problems
enddef

# Says what is wrong on the line.
export def Say()
  const problems = Here(bufnr())
  if !empty(problems)
    echo text.Fitting(problems[0].message)
  endif
enddef

# Shows help for the word under the cursor: its meaning, the last score and run.
export def Hover()
  const document = At(bufnr())
  if empty(document)
    return
  endif
  const hover = service.Ask(document.service, 'textDocument/hover', {
    textDocument: {uri: document.uri}, position: Position()})
  var lines = Here(bufnr())->mapnew((_, problem) => text.Clean(problem.message))
  if type(hover) == v:t_dict
    lines += text.Clean(hover.contents.value)->substitute('\*\*\|`', '', 'g')->split("\n")
  endif
  if empty(lines)
    text.Tell('nothing to show here; move to the word "program" for the last score')
  else
    popup_atcursor(lines, {moved: 'any', border: [], padding: [0, 1, 0, 1], maxwidth: 80})
  endif
enddef

# Completion of members, metrics, optimizers and the like, as an omnifunc.
export def Omni(findstart: number, base: string): any
  const document = At(bufnr())
  if findstart == 1
    b:hone_items = []
    if empty(document)
      return -3
    endif
    const answer = service.Ask(document.service, 'textDocument/completion', {
      textDocument: {uri: document.uri}, position: Position()}, true)
    b:hone_items = type(answer) == v:t_list ? answer : type(answer) == v:t_dict ? answer.items : []
    for item in b:hone_items
      if has_key(item, 'textEdit')
        return ByteOf(getline('.'), item.textEdit.range.start.character)
      endif
    endfor
    return match(strpart(getline('.'), 0, col('.') - 1), '\k*$')
  endif
  const Plain = (word: string) => tolower(substitute(word, '"', '', 'g'))
  return b:hone_items->mapnew((_, item) => ({
    word: has_key(item, 'textEdit') ? item.textEdit.newText : item.label,
    abbr: text.Line(item.label), menu: text.Line(get(item, 'detail', '')), icase: 1}))
    ->filter((_, item) => stridx(Plain(item.word), Plain(base)) == 0)
enddef

# Chooses among what the service offers here, such as the right spelling, and does it.
export def Actions(Run: func(string))
  const document = At(bufnr())
  if empty(document)
    return
  endif
  const here = Position()
  const actions = service.Ask(document.service, 'textDocument/codeAction', {
    textDocument: {uri: document.uri}, range: {start: here, end: here}, context: {diagnostics: Here(bufnr())}})
  if type(actions) != v:t_list || empty(actions)
    text.Warn('no actions here')
    return
  endif
  popup_menu(actions->mapnew((_, action) => text.Line(action.title)), {
    title: ' Hone ', callback: (_, chosen) => Do(actions, chosen, Run)})
enddef

def Do(actions: list<any>, chosen: number, Run: func(string))
  if chosen < 1
    return
  endif
  const action = actions[chosen - 1]
  if has_key(action, 'edit')
    Apply(action.edit)
  endif
  if has_key(action, 'command')
    Run(type(action.command) == v:t_dict ? action.command.command : action.command)
  endif
enddef

service.Listen('textDocument/publishDiagnostics', Take)
