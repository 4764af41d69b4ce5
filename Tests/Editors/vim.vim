vim9script
# Hone in Vim, step by step.
set hidden
syntax on
execute 'set runtimepath^=' .. fnameescape($CLIENT)
runtime plugin/hone.vim
import autoload 'hone.vim'
import autoload 'hone/service.vim'
import autoload 'hone/document.vim'
g:hone_command = [$HONE, 'serve']
g:hone_attach = $ATTACH == 'yes'

var facts: dict<any> = {}
var shown: list<string> = []

def WaitFor(what: string, Condition: func(): bool)
  const start = reltime()
  while !Condition()
    if reltimefloat(reltime(start)) > 30
      throw 'waited too long for ' .. what
    endif
    sleep 20m
    for window in popup_list()
      const now = getbufline(winbufnr(window), 1, '$')->join(' ')
      if now =~ '%' && index(shown, now) < 0
        add(shown, now)
      endif
    endfor
  endwhile
enddef

def VisibleLines(): number
  return range(1, line('$'))->filter((_, number) => foldclosed(number) < 0 || foldclosed(number) == number)->len()
enddef

def Problems(): list<any>
  return getloclist(0)->mapnew((_, one) => ({line: one.lnum - 1, message: one.text}))
enddef

def Messages(): list<string>
  return execute('messages')->split("\n")
enddef

def SaidOf(pattern: string): string
  return get(Messages()->filter((_, text) => text =~ pattern), -1, '')
enddef

def Steps()
  edit words.hone.json
  WaitFor('a problem', () => !empty(Problems()))
  facts.problems = Problems()
  facts.signs = sign_getplaced(bufnr(), {group: 'hone'})[0].signs->len()
  # What is offered for it puts it right, as one types on.
  search('numric')
  Hone actions
  WaitFor('the menu', () => !empty(popup_list()))
  popup_close(popup_list()[0], 1)
  WaitFor('no problem', () => empty(Problems()))
  facts.corrected = getline(1, '$')
  write
  search('numeric_match')
  document.Omni(1, '')
  facts.completion = document.Omni(0, '"n')->mapnew((_, item) => item.word)

  Hone evaluate
  WaitFor('the evaluation', () => SaidOf('evaluate words.*: [0-9.]\+ on') != '')
  shown = []
  Hone compile
  facts.running = service.Jobs()[0].title
  WaitFor('the compile', () => SaidOf(', was ') != '')
  facts.progress = shown
  facts.outcome = SaidOf(', was ')
  facts.popups = popup_list()->len()

  cursor(1, 1)
  search('"program')
  Hone hover
  facts.hover = popup_list()->mapnew((_, window) => getbufline(winbufnr(window), 1, '$')->join("\n"))->join("\n")
  popup_clear()

  edit slow.hone.json
  shown = []
  messages clear
  Hone compile
  WaitFor('progress', () => len(shown) > 1)
  Hone cancel
  WaitFor('the end of it', () => SaidOf('cancelled') != '')
  facts.cancelled = SaidOf('cancelled')
  facts.left = service.Jobs()->len()

  # What it would cost; then one that goes on by itself, is followed, left, and ended from the list of runs.
  Hone estimate
  facts.estimate = getline(1, '$')
  facts.estimate_visible = VisibleLines()
  normal q
  messages clear
  Hone detach
  facts.detached = SaidOf('in the background')
  Hone watch
  WaitFor('its progress', () => service.Jobs()[0].reports > 0)
  Hone cancel
  WaitFor('leaving it', () => SaidOf('no longer watched') != '')
  facts.watched = SaidOf('no longer watched')
  Hone runs
  facts.under_way = getline(1, '$')
  cursor(3, 1)
  normal c
  facts.stopped = SaidOf('cancelled run')
  facts.after_stop = getline(1, '$')
  normal q

  edit faulty.hone.json
  WaitFor('problems', () => len(Problems()) > 1)
  facts.faults = Problems()

  edit broken.hone.json
  messages clear
  Hone compile
  WaitFor('an error', () => SaidOf('failed') != '')
  facts.error = Messages()->join("\n")

  edit words.hone.json
  Hone runs
  facts.runs = getline(1, '$')
  facts.runs_visible = VisibleLines()
  cursor(3, 1)
  execute "normal 1\<Tab>"
  facts.unfolded = getline(1, '$')
  facts.unfolded_visible = VisibleLines()
  execute "normal 1\<CR>"
  facts.run = getline(1, '$')
  normal q
  cursor(4, 1)
  normal t
  facts.trace = getline(1, '$')
  facts.open = VisibleLines()
  cursor(2, 1)
  execute "normal 1\<Tab>"
  facts.folded = VisibleLines()
  only

  edit hostile.hone.json
  messages clear
  Hone evaluate
  WaitFor('the evaluation', () => SaidOf('hostile.hone.json: ') != '')
  Hone trace
  facts.hostile = getline(1, '$')
  only

  edit words.hone.json
  messages clear
  Hone load
  facts.loaded = getline(1, '$')->join("\n")
  facts.told = SaidOf('loaded')
  undo
  facts.undone = getline(1, '$')
  Hone diff
  WaitFor('the menu', () => !empty(popup_list()))
  popup_close(popup_list()[0], 1)
  facts['left-text'] = getbufline(winbufnr(1), 1, '$')->join("\n")
  facts['right-text'] = getbufline(winbufnr(2), 1, '$')->join("\n")
  facts.differences = &diff ? 1 : 0
  tabclose

  # A key goes where it was allowed to, once asked.
  edit keys.hone.json
  facts.keys = []
  facts.questions = []
  for choice in [2, 1]
    messages clear
    Hone evaluate
    WaitFor('the question', () => !empty(popup_list()->filter((_, id) => popup_getoptions(id).title =~ 'TEAM_KEY')))
    const menu = popup_list()->filter((_, id) => popup_getoptions(id).title =~ 'TEAM_KEY')[0]
    add(facts.questions, popup_getoptions(menu).title)
    popup_close(menu, choice)
    WaitFor('the error', () => Messages()->join(' ') =~ (choice == 2 ? 'hone keys allow' : 'not set'))
    add(facts.keys, Messages()->join(' '))
  endfor
  messages clear
  Hone forget
  facts.forgotten = SaidOf('no longer send')

  # A service that dies is started again by the next command.
  edit words.hone.json
  messages clear
  const job = document.At(bufnr()).service.job
  job_stop(job, 'kill')
  WaitFor('its end', () => job_status(job) == 'dead')
  Hone evaluate
  WaitFor('the evaluation', () => SaidOf('words.hone.json: [0-9.]\+ on') != '')
  facts.revived = SaidOf('words.hone.json: [0-9.]\+ on')
  g:hone_command = ['/nowhere/hone', 'serve']
  edit elsewhere/words.hone.json
  facts.missing = SaidOf('no program')
enddef

def Run(_: number)
  try
    Steps()
  catch
    facts.failure = v:exception .. ' at ' .. v:throwpoint
  endtry
  facts.messages = Messages()
  writefile([json_encode(facts)], $FACTS)
  qall!
enddef

timer_start(100, Run)
