;;; hone-document.el --- Program files: diagnostics, hover, completion, actions  -*- lexical-binding: t; -*-

;; This file is part of the package hone.

;;; Commentary:

;; `hone-mode' keeps the service told of a program file's text and shows what it has to say about it: problems through
;; Flymake, the last score through Eldoc, names through completion at point.

;;; Code:

(require 'flymake)
(require 'hone-connection)

(declare-function hone-compile "hone")
(declare-function hone-compile-detached "hone")
(declare-function hone-evaluate "hone")
(declare-function hone-estimate "hone")
(declare-function hone-watch "hone")
(declare-function hone-runs "hone-runs")
(declare-function hone-last-trace "hone")
(declare-function hone-diff "hone")
(declare-function hone-load-best "hone")

(defcustom hone-change-delay 0.2
  "Seconds without a change before changes are sent to the service."
  :type 'number
  :group 'hone)

(defvar-local hone--open-on nil "The connection that knows this buffer's document.")
(defvar-local hone--version 0 "The version of the document that was sent last.")
(defvar-local hone--changed nil "Whether the text differs from what was sent.")
(defvar-local hone--timer nil "The timer that will send changes.")
(defvar-local hone--report nil "Flymake's function for new problems.")
(defvar-local hone--diagnostics nil "The problems that came last, as the service gave them.")

;;; Positions and edits

(defun hone--position (position)
  "Where POSITION (LSP's, in UTF-16 units) is in the buffer."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (forward-line (plist-get position :line))
      (let ((units (plist-get position :character)))
        (while (and (> units 0) (not (eolp)))
          (setq units (- units (if (> (char-after) #xffff) 2 1)))
          (forward-char)))
      (point))))

(defun hone--lsp-position (&optional where)
  "WHERE, else point, as LSP's position."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (or where (point)))
      (let ((end (point)) (units 0))
        (forward-line 0)
        (let ((line (1- (line-number-at-pos))))
          (while (< (point) end)
            (setq units (+ units (if (> (char-after) #xffff) 2 1)))
            (forward-char))
          `(:line ,line :character ,units))))))

(defun hone-apply-edit (edit)
  "Make the changes of EDIT, a workspace edit with `changes'."
  (cl-loop
   for (key edits) on (plist-get edit :changes) by #'cddr
   do (with-current-buffer (find-file-noselect (hone-path (substring (symbol-name key) 1)))
        (let ((places (mapcar (lambda (edit)
                                (let ((range (plist-get edit :range)))
                                  (list (hone--position (plist-get range :start))
                                        (hone--position (plist-get range :end))
                                        (plist-get edit :newText))))
                              edits)))
          (undo-boundary)
          (atomic-change-group
            (save-excursion
              (pcase-dolist (`(,start ,end ,text) (sort places (lambda (a b) (> (car a) (car b)))))
                (goto-char start)
                (delete-region start end)
                (insert text))))
          (hone--send-changes)))))

;;; Telling the service of the text

(defun hone--text ()
  "The buffer's whole text, without bytes that are no text."
  (save-restriction
    (widen)
    (replace-regexp-in-string "[\x3fff80-\x3fffff]" "\ufffd" (buffer-substring-no-properties (point-min) (point-max)))))

(defun hone--document ()
  "The document, as LSP names it."
  `(:uri ,(hone-uri (or buffer-file-name (user-error "Hone: save the program in a file first")))))

(defun hone-document-connection ()
  "The connection that knows this buffer's text as it is now."
  (let ((connection (hone-connection)))
    (if (eq connection hone--open-on)
        (hone--send-changes)
      (setq hone--open-on connection
            hone--changed nil
            hone--version (1+ hone--version))
      (jsonrpc-notify connection :textDocument/didOpen
                      `(:textDocument
                        (,@(hone--document) :languageId "hone" :version ,hone--version :text ,(hone--text)))))
    connection))

(defun hone--send-changes ()
  "Send the text where it has changed."
  (when (timerp hone--timer) (cancel-timer hone--timer))
  (setq hone--timer nil)
  (when (and hone--changed (hone--is-open))
    (setq hone--changed nil
          hone--version (1+ hone--version))
    (jsonrpc-notify hone--open-on :textDocument/didChange
                    `(:textDocument (,@(hone--document) :version ,hone--version)
                      :contentChanges [(:text ,(hone--text))]))))

(defun hone--is-open ()
  "Whether a running service knows the document."
  (and hone--open-on (jsonrpc-running-p hone--open-on)))

(defun hone--after-change (&rest _)
  "Send the change soon."
  (setq hone--changed t)
  (when (timerp hone--timer) (cancel-timer hone--timer))
  (let ((buffer (current-buffer)))
    (setq hone--timer
          (run-with-timer hone-change-delay nil
                          (lambda ()
                            (when (buffer-live-p buffer)
                              (with-current-buffer buffer (hone--send-changes))))))))

(defun hone--after-save ()
  "Tell the service that the file was saved; start it where it has gone."
  (condition-case failure
      (jsonrpc-notify (hone-document-connection) :textDocument/didSave `(:textDocument ,(hone--document)))
    (user-error (message "%s" (cadr failure)))))

(defun hone--close ()
  "Tell the service that the document is closed."
  (when (and (hone--is-open) buffer-file-name)
    (ignore-errors (jsonrpc-notify hone--open-on :textDocument/didClose `(:textDocument ,(hone--document)))))
  (setq hone--open-on nil))

;;; What it says

(defun hone--on-notification (connection method params)
  "Take what came on CONNECTION as METHOD with PARAMS.
That is, a program file's problems, or the end of the service."
  (pcase method
    ('textDocument/publishDiagnostics
     (when-let ((buffer (find-buffer-visiting (hone-path (plist-get params :uri)))))
       (with-current-buffer buffer
         (when (and (eq hone--open-on connection)
                    (not hone--changed)
                    (eql (or (plist-get params :version) hone--version) hone--version))
           (setq hone--diagnostics (append (plist-get params :diagnostics) nil))
           (hone--report-diagnostics)))))
    ('hone/ended
     (dolist (buffer (buffer-list))
       (when (eq (buffer-local-value 'hone--open-on buffer) connection)
         (with-current-buffer buffer (setq hone--open-on nil)))))))

(add-hook 'hone-notification-functions #'hone--on-notification)

(defun hone--flymake (report &rest _)
  "The Flymake backend: remember REPORT and give it what is known."
  (setq hone--report report)
  (hone--report-diagnostics))

(defun hone--report-diagnostics ()
  "Hand the problems to Flymake."
  (when hone--report
    (funcall
     hone--report
     (mapcar (lambda (diagnostic)
               (let* ((range (plist-get diagnostic :range))
                      (start (hone--position (plist-get range :start)))
                      (end (hone--position (plist-get range :end))))
                 (flymake-make-diagnostic
                  (current-buffer) start (max end (min (1+ start) (point-max)))
                  (if (eql (plist-get diagnostic :severity) 1) :error :warning)
                  (hone-clean (plist-get diagnostic :message)))))
             hone--diagnostics)
     :region (cons (point-min) (point-max)))))

(defun hone--hover-text (hover)
  "The text of HOVER, the service's answer, or nil."
  (let* ((contents (plist-get hover :contents))
         (text (if (stringp contents) contents (plist-get contents :value))))
    (and text (not (string-empty-p text)) (hone-clean (replace-regexp-in-string "\\*\\*\\|`" "" text)))))

(defun hone--eldoc (callback &rest _)
  "Give Eldoc's CALLBACK what the service knows about the text at point.
Where there is a problem, Flymake shows that."
  (when (and (hone--is-open) (not (flymake-diagnostics (point))))
    (hone-ask (hone-document-connection) :textDocument/hover
              `(:textDocument ,(hone--document) :position ,(hone--lsp-position))
              :then (lambda (hover) (when-let ((text (hone--hover-text hover))) (funcall callback text)))
              :otherwise #'ignore)
    t))

(defun hone-hover ()
  "Show help for the text at point: the problem, the last score and run."
  (interactive)
  (let ((text (hone--hover-text
               (hone-get (hone-document-connection) :textDocument/hover
                         `(:textDocument ,(hone--document) :position ,(hone--lsp-position))))))
    (message "%s" (or text "Hone: nothing to show here; move to the word \"program\" for the last score"))))

(defun hone-completion-at-point ()
  "Complete names of members, metrics, optimizers and the like."
  (when (hone--is-open)
    (let* ((answer (ignore-errors
                     (jsonrpc-request (hone-document-connection) :textDocument/completion
                                      `(:textDocument ,(hone--document) :position ,(hone--lsp-position)) :timeout 2)))
           (items (append (if (vectorp answer) answer (plist-get answer :items)) nil))
           (range (plist-get (plist-get (car items) :textEdit) :range))
           (start (if range
                      (hone--position (plist-get range :start))
                    (or (car (bounds-of-thing-at-point 'symbol)) (point))))
           (end (if range (hone--position (plist-get range :end)) (point))))
      (when items
        (list start (max end (point))
              (mapcar (lambda (item)
                        (propertize (or (plist-get (plist-get item :textEdit) :newText) (plist-get item :label))
                                    'hone-detail (plist-get item :detail)))
                      items)
              :exclusive 'no
              :annotation-function
              (lambda (text)
                (when-let ((detail (get-text-property 0 'hone-detail text))) (concat "  " (hone-clean detail)))))))))

(defun hone-code-action ()
  "Choose one of the service's actions at point, and run it.
For example, correct a name to the nearest one that exists."
  (interactive)
  (let* ((connection (hone-document-connection))
         (here (hone--lsp-position))
         (line (plist-get here :line))
         (actions
          (append
           (hone-get connection :textDocument/codeAction
                     `(:textDocument ,(hone--document)
                       :range (:start ,here :end ,here)
                       :context
                       (:diagnostics
                        ,(vconcat (seq-filter
                                   (lambda (diagnostic)
                                     (let ((range (plist-get diagnostic :range)))
                                       (<= (plist-get (plist-get range :start) :line) line
                                           (plist-get (plist-get range :end) :line))))
                                   hone--diagnostics)))))
           nil))
         (titles (mapcar (lambda (action) (cons (hone-clean (plist-get action :title)) action)) actions)))
    (unless actions (user-error "Hone: no actions here"))
    (hone--act (cdr (assoc (completing-read (format-prompt "Do" (caar titles)) titles nil t nil nil (caar titles))
                           titles)))))

(defvar hone-command-functions nil
  "An alist of the service's commands.
The values are functions of their arguments that run them here.")

(defun hone--act (action)
  "Do ACTION: make its edit, run its command."
  (when (plist-get action :edit) (hone-apply-edit (plist-get action :edit)))
  (when-let* ((command (plist-get action :command))
              (name (if (stringp command) command (plist-get command :command)))
              (arguments (append (plist-get (if (stringp command) action command) :arguments) nil))
              (function (alist-get name hone-command-functions nil nil #'equal)))
    (apply function arguments)))

;;; The mode

(defvar hone-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'hone-compile)
    (define-key map (kbd "C-c C-e") #'hone-evaluate)
    (define-key map (kbd "C-c C-s") #'hone-estimate)
    (define-key map (kbd "C-c C-b") #'hone-compile-detached)
    (define-key map (kbd "C-c C-w") #'hone-watch)
    (define-key map (kbd "C-c C-k") #'hone-cancel)
    (define-key map (kbd "C-c C-r") #'hone-runs)
    (define-key map (kbd "C-c C-t") #'hone-last-trace)
    (define-key map (kbd "C-c C-d") #'hone-diff)
    (define-key map (kbd "C-c C-l") #'hone-load-best)
    (define-key map (kbd "C-c C-a") #'hone-code-action)
    (define-key map (kbd "C-c C-h") #'hone-hover)
    map)
  "Keys in program files.")

;;;###autoload
(define-minor-mode hone-mode
  "Work with Hone from a program file."
  :lighter " Hone"
  :keymap hone-mode-map
  (cond
   (hone-mode
    (add-hook 'after-change-functions #'hone--after-change nil t)
    (add-hook 'after-save-hook #'hone--after-save nil t)
    (add-hook 'kill-buffer-hook #'hone--close nil t)
    (add-hook 'flymake-diagnostic-functions #'hone--flymake nil t)
    (add-hook 'eldoc-documentation-functions #'hone--eldoc nil t)
    (add-hook 'completion-at-point-functions #'hone-completion-at-point nil t)
    (add-to-list 'mode-line-misc-info '(:eval (hone-mode-line)))
    (flymake-mode 1)
    (eldoc-mode 1)
    (condition-case failure
        (when buffer-file-name (hone-document-connection))
      (user-error (message "%s" (cadr failure)))))
   (t
    (hone--close)
    (remove-hook 'after-change-functions #'hone--after-change t)
    (remove-hook 'after-save-hook #'hone--after-save t)
    (remove-hook 'kill-buffer-hook #'hone--close t)
    (remove-hook 'flymake-diagnostic-functions #'hone--flymake t)
    (remove-hook 'eldoc-documentation-functions #'hone--eldoc t)
    (remove-hook 'completion-at-point-functions #'hone-completion-at-point t)
    (flymake-start))))

(provide 'hone-document)
;;; hone-document.el ends here
