vim9script
# Texts for a person: what a model wrote made harmless, errors with what to do next, figures.

def Visible(character: string): string
  const code = char2nr(character)
  if code < 0x20
    return nr2char(0x2400 + code)
  endif
  return code == 0x7f ? nr2char(0x2421) : printf('<U+%04X>', code)
enddef

# Text with control characters made visible, and those that are invisible or turn the direction of text shown by their
# number. Line ends and tabs stay.
export def Clean(text: any): string
  const plain = substitute(type(text) == v:t_string ? text : string(text), "\r\n", "\n", 'g')
  return substitute(plain,
    '[\x01-\x08\x0b-\x1f\x7f\u0080-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]',
    (found) => Visible(found[0]), 'g')
enddef

# The same on one line.
export def Line(text: any): string
  return Clean(text)->substitute("\n", '␤', 'g')->substitute("\t", ' ', 'g')
enddef

# The end of an id; how ids begin tells little but when they were made.
export def Short(id: string): string
  return '…' .. strpart(id, max([0, strlen(id) - 8]))
enddef

# Text cut or filled to so many columns.
export def Cell(text: any, width: number): string
  var line = Line(text)
  if strdisplaywidth(line) > width
    while strdisplaywidth(line) > width - 1
      line = strcharpart(line, 0, strcharlen(line) - 1)
    endwhile
    line ..= '…'
  endif
  return line .. repeat(' ', width - strdisplaywidth(line))
enddef

# Text cut to what the command line has room for.
export def Fitting(text: string): string
  return strcharpart(Line(text), 0, max([20, v:echospace]))
enddef

# A value as a person writes it.
export def Value(value: any): string
  if value == null
    return '-'
  elseif type(value) == v:t_bool
    return value ? 'yes' : 'no'
  elseif type(value) == v:t_float && value == floor(value) && abs(value) < 1.0e15
    return printf('%.0f', value)
  endif
  return type(value) == v:t_string ? value : string(value)
enddef

export def Score(value: any): string
  return type(value) == v:t_float || type(value) == v:t_number ? printf('%.2f', value) : '-'
enddef

# When a run began, and how long it took.
export def When(run: dict<any>): string
  const start = get(run, 'startTime', '')
  const duration = get(run, 'duration', v:null)
  const east = str2nr(strftime('%z')[: 2]) * 3600
  const text = type(start) == v:t_string
    ? strftime('%F %R', strptime('%Y-%m-%dT%H:%M:%S', strpart(start, 0, 19)) + east) : ''
  return type(duration) == v:t_float || type(duration) == v:t_number
    ? printf('%s  %.1f s', text, duration) : text
enddef

# An error of the service: what is wrong, each part of it, what to do next.
export def Error(failure: dict<any>): list<string>
  const found = get(failure, 'data')
  const data: dict<any> = type(found) == v:t_dict ? found : {}
  var lines = [get(failure, 'message', 'The service gave no message.')]
  # A single problem is in the message already.
  const problems: list<dict<any>> = get(data, 'problems', [])
  for problem in len(problems) > 1 ? problems : []
    const hint = type(get(problem, 'suggestion')) == v:t_string ? printf(' Did you mean "%s"?', problem.suggestion) : ''
    add(lines, printf('  - %s: %s%s', get(problem, 'path', ''), get(problem, 'message', ''), hint))
  endfor
  if type(get(data, 'remedy')) == v:t_string
    add(lines, data.remedy)
  endif
  return lines->mapnew((_, line) => Clean(line)->split("\n", true))->flattennew()
enddef

export def Tell(message: string)
  echomsg 'Hone: ' .. message
enddef

export def Warn(lines: any)
  echohl WarningMsg
  Show(lines)
  echohl None
enddef

export def Fail(lines: any)
  echohl ErrorMsg
  Show(lines)
  echohl None
enddef

def Show(lines: any)
  const all: list<string> = type(lines) == v:t_list ? lines : [lines]
  echomsg 'Hone: ' .. all[0]
  for line in all[1 :]
    echomsg line
  endfor
enddef
