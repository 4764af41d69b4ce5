;;; hone.el --- Optimize language-model programs with Hone  -*- lexical-binding: t; -*-

;; Version: 0.1
;; Package-Requires: ((emacs "28.1"))
;; Keywords: tools

;;; Commentary:

;; Program files (NAME.hone.json) with diagnostics, hover and completion; evaluating and compiling with progress;
;; the tree of runs, traces that fold, the difference of two programs, the best one loaded into the file.
;; README.md beside this file has the keys.

;;; Code:

(require 'hone-connection)
(require 'hone-document)
(require 'hone-runs)
(require 'hone-trace)
(require 'js)

;;;###autoload
(define-derived-mode hone-program-mode js-mode "JSON"
  "The mode of Hone's program files."
  (setq-local js-indent-level 2
              indent-tabs-mode nil)
  (hone-mode 1))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.hone\\.json\\'" . hone-program-mode))

(defun hone--argument (&rest more)
  "The argument of the service's commands for this file, with MORE beside it."
  `[(,@(hone--document) ,@more)])

(defun hone--command (name argument)
  "What asks the service to run its command NAME with ARGUMENT."
  `(:command ,name :arguments ,argument))

(defun hone--work (title command)
  "Run COMMAND on this file, with progress under TITLE."
  (let ((name (file-name-nondirectory (or buffer-file-name ""))))
    (hone-run-job (hone-document-connection) (format "%s %s" title name)
                  :workspace/executeCommand (hone--command command (hone--argument))
                  :then (lambda (result) (message "%s" (hone--outcome name result))))))

(defun hone--outcome (name result)
  "One line about RESULT, the outcome of work on the program NAME."
  (let ((score (plist-get result :score))
        (baseline (plist-get result :baselineScore))
        (status (plist-get result :status))
        (run (plist-get result :runId)))
    (concat
     "Hone: " name ": "
     (if (and status (not (equal status "FINISHED"))) (format "%s, " (downcase (hone-clean status))) "")
     (cond ((and score baseline) (format "%.2f, was %.2f" score baseline))
           ((and score (plist-get result :count)) (format "%.2f on %s examples" score (plist-get result :count)))
           (score (format "%.2f" score))
           (t "no score"))
     (if run (format ", run %s" (hone-short run)) "")
     (if (eq (plist-get result :simulated) t) " (simulated model)" "")
     (if baseline (substitute-command-keys "; \\<hone-mode-map>\\[hone-load-best] loads the best program") ""))))

(defun hone-compile ()
  "Optimize the program of this file and show progress.
`hone-cancel' ends it."
  (interactive)
  (hone--work "compile" "hone.compile"))

(defun hone-evaluate ()
  "Score the program of this file and show progress.
`hone-cancel' ends it."
  (interactive)
  (hone--work "evaluate" "hone.evaluate"))

(defun hone-estimate ()
  "Show the calls and cost of compiling the program of this file."
  (interactive)
  (let* ((connection (hone-document-connection))
         (answer (hone-get connection :workspace/executeCommand (hone--command "hone.estimate" (hone--argument)))))
    (hone-show-lines "*hone estimate*" "Estimate" (plist-get answer :lines))))

(defun hone-compile-detached ()
  "Optimize the program of this file in the shared service.
It continues after Emacs exits; `hone-watch' follows it."
  (interactive)
  (let ((answer (hone-get (hone-document-connection) :workspace/executeCommand
                          (hone--command "hone.compile" (hone--argument :detach t)))))
    (message "Hone: compiling in the background as run %s%s" (hone-short (plist-get answer :runId))
             (substitute-command-keys "; \\<hone-mode-map>\\[hone-watch] follows it"))
    (run-hooks 'hone-after-job-hook)))

(defun hone-watch ()
  "Follow the latest run of this file that is in progress."
  (interactive)
  (let ((name (file-name-nondirectory (or buffer-file-name ""))))
    (hone-watch-run (hone-document-connection) name (hone--argument))))

(defun hone-watch-run (connection name argument)
  "Follow the run that ARGUMENT names to CONNECTION, with progress.
NAME says what it is."
  (hone-run-job connection (format "watch %s" name) :workspace/executeCommand (hone--command "hone.watch" argument)
                :then (lambda (result) (message "%s" (hone--outcome name result)))
                :cancelled "no longer watched; the run continues"))

(defun hone-load-best (&optional run)
  "Put the best program found for this file, or that of RUN, into the file.
Undo reverts it."
  (interactive)
  (let ((answer (hone-get (hone-document-connection) :workspace/executeCommand
                          (hone--command "hone.loadBest" (apply #'hone--argument (and run `(:run ,run)))))))
    (unless (eq (plist-get answer :applied) t) (hone-apply-edit (plist-get answer :edit)))
    (message "Hone: loaded the program of run %s%s" (hone-short (or (plist-get answer :runId) ""))
             (if (plist-get answer :score) (format ", score %.2f" (plist-get answer :score)) ""))))

(defun hone-forget-keys ()
  "Take back which keys this file may send where."
  (interactive)
  (let* ((answer (hone-get (hone-document-connection) :workspace/executeCommand
                           (hone--command "hone.forgetKeys" (hone--argument))))
         (gone (mapconcat (lambda (one) (format "%s to %s" (plist-get one :variable) (plist-get one :host)))
                          (plist-get answer :forgotten) ", ")))
    (message "Hone: %s" (if (string-empty-p gone) "nothing was allowed for this file"
                          (concat "this file may no longer send " (hone-clean gone))))))

(defun hone-last-trace ()
  "Open a trace of the last run of this file."
  (interactive)
  (let* ((connection (hone-document-connection))
         (runs (append (plist-get (hone-get connection :workspace/executeCommand
                                            (hone--command "hone.runs" (hone--argument :onlyFile t)))
                                  :runs)
                       nil)))
    (unless runs (user-error "Hone: this file has no runs yet; `hone-evaluate' starts one"))
    (hone-open-trace connection (hone--traced-run (car runs)))))

(defun hone--traced-run (node)
  "The argument for a trace of the run NODE.
A trace of its best child, or its own if it has no children."
  (let* ((children (append (plist-get node :children) nil))
         (best (car (sort (copy-sequence children)
                          (lambda (a b) (> (or (plist-get a :score) -1) (or (plist-get b :score) -1)))))))
    `(:runId ,(plist-get (or best node) :runId))))

(defun hone-diff (left right)
  "Compare the programs LEFT and RIGHT with Ediff.
Interactively, this file's program with that of a run."
  (interactive (list (hone--document) (hone--read-run "Compare with run: ")))
  (hone-show-diff (hone-document-connection) left right))

(defun hone--read-run (prompt)
  "Ask for a run with PROMPT; what names it in the service's commands."
  (let* ((answer (hone-get (hone-document-connection) :workspace/executeCommand
                           (hone--command "hone.runs" (hone--argument :onlyFile t))))
         (choices (hone-run-choices (append (plist-get answer :runs) nil))))
    (unless choices (user-error "Hone: there are no runs yet; `hone-compile' starts one"))
    (cdr (assoc (completing-read prompt (hone--in-order choices) nil t nil nil (caar choices)) choices))))

(defun hone--in-order (choices)
  "A completion table of CHOICES that keeps their order."
  (lambda (text predicate action)
    (if (eq action 'metadata)
        '(metadata (display-sort-function . identity) (cycle-sort-function . identity))
      (complete-with-action action choices text predicate))))

(setf (alist-get "hone.compile" hone-command-functions nil nil #'equal) (lambda (&rest _) (hone-compile))
      (alist-get "hone.evaluate" hone-command-functions nil nil #'equal) (lambda (&rest _) (hone-evaluate))
      (alist-get "hone.loadBest" hone-command-functions nil nil #'equal) (lambda (&rest _) (hone-load-best)))

(provide 'hone)
;;; hone.el ends here
