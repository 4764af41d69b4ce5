vim9script
# Program files get Hone's service; :Hone works everywhere.
if exists('g:loaded_hone')
  finish
endif
g:loaded_hone = true

import autoload 'hone.vim'

augroup hone
  autocmd!
  autocmd BufReadPost,BufNewFile *.hone.json hone.Attach()
augroup END

command! -nargs=+ -complete=customlist,hone.Complete Hone hone.Command([<f-args>])
