vim9script
# Read-only buffers whose parts fold. How deep a line stands is kept beside the text and never read from it, so that no
# answer of a model can pass itself off as a part.

import autoload './text.vim'

for [kind, group] in items({heading: 'Title', failed: 'ErrorMsg', marked: 'Search', help: 'Comment'})
  execute printf('highlight default link hone_%s %s', kind, group)
  prop_type_add('hone_' .. kind, {highlight: 'hone_' .. kind})
endfor

# What 'foldexpr' says about a line.
export def Level(number: number): string
  const lines = get(b:, 'hone_lines', [])
  if number > len(lines)
    return '0'
  endif
  const depth = lines[number - 1].depth
  return Deeper(lines, number - 1) ? '>' .. (depth + 1) : string(depth)
enddef

def Deeper(lines: list<dict<any>>, index: number): bool
  return index + 1 < len(lines) && lines[index + 1].depth > lines[index].depth
enddef

# What a folded part shows: its first line, and how much is below.
export def Folded(): string
  return printf('%s  ▸ %d', getline(v:foldstart), v:foldend - v:foldstart)
enddef

# Goes to the buffer of that name: in its window, in place of another of these buffers, or in a new window.
def Open(name: string, replaces: bool): number
  const buffer = bufadd(name)
  const window = bufwinid(buffer)
  const current = bufnr()
  if window >= 0
    win_gotoid(window)
  elseif exists('b:hone_lines')
    if !replaces
      w:hone_back = get(w:, 'hone_back', []) + [current]
    endif
    execute 'silent buffer' buffer
  else
    execute 'silent botright sbuffer' buffer
  endif
  setlocal buftype=nofile bufhidden=hide noswapfile nomodeline nobuflisted
  return buffer
enddef

# Goes back to what was shown before, or closes the window.
export def Back()
  var stack: list<number> = get(w:, 'hone_back', [])
  if !empty(stack) && bufexists(stack[-1])
    const buffer = remove(stack, -1)
    execute 'silent buffer' buffer
  elseif winnr('$') > 1
    close
  else
    enew
  endif
enddef

# Shows lines {depth, text, kind?, Open?} in a buffer of that name; keys are its keys and what they do.
export def Show(name: string, lines: list<dict<any>>, keys: dict<func>, folds: number, replaces = false)
  const buffer = Open(name, replaces)
  b:hone_lines = lines
  b:hone_keys = keys
  setlocal modifiable
  silent deletebufline(buffer, 1, '$')
  setbufline(buffer, 1, lines->mapnew((_, line) => repeat('  ', line.depth) .. text.Line(line.text)))
  setlocal nomodifiable
  for index in range(len(lines))
    const kind = get(lines[index], 'kind', Deeper(lines, index) ? 'heading' : '')
    if kind != '' && col([index + 1, '$']) > 1
      prop_add(index + 1, 1, {type: 'hone_' .. kind, end_col: col([index + 1, '$'])})
    endif
  endfor
  setlocal foldmethod=expr foldexpr=hone#outline#Level(v:lnum) foldtext=hone#outline#Folded() foldenable
  setlocal wrap breakindent breakindentopt=shift:2 nonumber norelativenumber fillchars=fold:\ 
  &l:foldlevel = folds
  nnoremap <buffer> <nowait> <silent> <Tab> <Cmd>call hone#outline#Fold()<CR>
  nnoremap <buffer> <nowait> <silent> q <Cmd>call hone#outline#Back()<CR>
  nnoremap <buffer> <nowait> <silent> <CR> <Cmd>call hone#outline#Enter()<CR>
  for key in keys(keys)
    execute printf('nnoremap <buffer> <nowait> <silent> %s <Cmd>call hone#outline#Press("%s")<CR>', key, key)
  endfor
  cursor(1, 1)
enddef

# Opens what the line names, or folds the part.
export def Enter()
  const line = get(b:hone_lines, line('.') - 1, {})
  if has_key(line, 'Open')
    line.Open()
  else
    Fold()
  endif
enddef

export def Fold()
  if foldlevel('.') > 0
    normal! za
  endif
enddef

# Does what a key stands for, with the line at hand.
export def Press(key: string)
  b:hone_keys[key](get(b:hone_lines, line('.') - 1, {}))
enddef

# Shows two texts side by side in a tab, as Vim's diff.
export def Compare(left: dict<any>, right: dict<any>)
  tabnew
  for [index, side] in items([left, right])
    if index == 1
      rightbelow vnew
    endif
    setlocal buftype=nofile bufhidden=wipe noswapfile nomodeline nobuflisted
    setline(1, text.Clean(side.text)->split("\n", true))
    execute 'silent! file' fnameescape(printf('hone://%d/%s', bufnr(), text.Line(side.title)))
    setlocal nomodifiable
    nnoremap <buffer> <nowait> <silent> q <Cmd>tabclose<CR>
    diffthis
    setlocal wrap
  endfor
enddef
