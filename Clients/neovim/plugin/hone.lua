-- Program files get Hone's service; `:Hone` works everywhere.
if vim.g.loaded_hone then return end
vim.g.loaded_hone = true

local group = vim.api.nvim_create_augroup("hone", {})
vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile" }, {
  group = group,
  pattern = "*.hone.json",
  callback = function(event) require("hone").attach(event.buf) end,
})

vim.api.nvim_create_user_command("Hone", function(call) require("hone").command(call.fargs) end, {
  nargs = "+",
  desc = "Optimize and evaluate language-model programs",
  complete = function(lead, line) return require("hone").complete(lead, line) end,
})
