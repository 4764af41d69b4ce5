;;; hone-runs.el --- The tree of runs  -*- lexical-binding: t; -*-

;; This file is part of the package hone.

;;; Commentary:

;; Runs with their parents and children, unfolded and opened by key; two of them compared, one loaded into the file.

;;; Code:

(require 'hone-connection)
(require 'hone-trace)

(declare-function hone-load-best "hone")
(declare-function hone-watch-run "hone")

(defconst hone--step 200 "How many runs or traces are shown at first, and how many more each time.")

(defvar-local hone--runs nil "The runs at the top, as the service gave them.")
(defvar-local hone--open nil "The ids of runs whose children are shown.")
(defvar-local hone--limit hone--step "How many runs are asked for.")
(defvar-local hone--more nil "Whether there are earlier runs.")
(defvar-local hone--marked nil "The id of the run that is to be compared.")
(defvar-local hone--file nil "The program file from which the runs were asked for.")
(defvar-local hone--scope nil "Whether all runs are shown, not only the file's.")

(defvar hone-runs-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'hone-runs-toggle)
    (define-key map (kbd "<backtab>") #'hone-runs-toggle-all)
    (define-key map (kbd "RET") #'hone-runs-open)
    (define-key map (kbd "t") #'hone-runs-trace)
    (define-key map (kbd "d") #'hone-runs-diff)
    (define-key map (kbd "l") #'hone-runs-load)
    (define-key map (kbd "w") #'hone-runs-watch)
    (define-key map (kbd "c") #'hone-runs-cancel)
    (define-key map (kbd "m") #'hone-runs-more)
    (define-key map (kbd "s") #'hone-runs-switch)
    (define-key map (kbd "n") #'next-line)
    (define-key map (kbd "p") #'previous-line)
    map)
  "Keys in the tree of runs.")

(define-derived-mode hone-runs-mode special-mode "Hone-Runs"
  "The tree of runs.
\\{hone-runs-mode-map}"
  (setq truncate-lines t)
  (setq-local revert-buffer-function (lambda (&rest _) (hone-runs-refresh))))

;;;###autoload
(defun hone-runs ()
  "Show the runs of this program file as a tree.
Outside of one, show all runs of the directory's store."
  (interactive)
  (let* ((file (and (bound-and-true-p hone-mode) buffer-file-name))
         (connection (hone-connection))
         (buffer (get-buffer-create "*hone runs*")))
    (with-current-buffer buffer
      (hone-runs-mode)
      (setq hone--source connection
            hone--file file
            hone--scope (not file)))
    (pop-to-buffer buffer)
    (hone-runs-refresh)))

(defun hone-runs-refresh ()
  "Ask for the runs again."
  (interactive)
  (let* ((inside (and hone--file (not hone--scope)))
         (answer (hone-get hone--source :workspace/executeCommand
                           `(:command "hone.runs"
                             :arguments [(,@(and inside `(:uri ,(hone-uri hone--file) :onlyFile t)) :limit ,hone--limit)]))))
    (setq hone--runs (append (plist-get answer :runs) nil)
          hone--more (eq (plist-get answer :more) t)
          header-line-format
          (hone--header (if inside (format "Runs of %s" (file-name-nondirectory hone--file)) "All runs")
                        (concat "TAB fold, RET open, t trace, d compare, l load, w watch, c cancel, "
                                "s all/this file, g refresh, q quit")))
    (hone--draw-runs)))

(defun hone--refresh-shown-runs ()
  "Ask for the runs again where they are shown."
  (when-let ((buffer (get-buffer "*hone runs*")))
    (when (get-buffer-window buffer t)
      (with-current-buffer buffer (ignore-errors (hone-runs-refresh))))))

(add-hook 'hone-after-job-hook #'hone--refresh-shown-runs)

(defun hone--draw-runs ()
  "Draw the tree; point stays on its run."
  (let ((inhibit-read-only t)
        (here (plist-get (hone--run-at-point) :runId)))
    (erase-buffer)
    (if hone--runs
        (progn
          (dolist (run hone--runs) (hone--draw-run run 0))
          (when hone--more (insert "   … earlier runs: m\n")))
      (insert (if (and hone--file (not hone--scope))
                  "This file has no runs yet: C-c C-c in it compiles, C-c C-e evaluates.\n"
                "There are no runs yet.\n")))
    (goto-char (point-min))
    (when here (hone--go-to-run here))))

(defun hone--draw-run (run depth)
  "Draw RUN and, where it is open, those under it; DEPTH is how deep it stands."
  (let* ((id (plist-get run :runId))
         (children (append (plist-get run :children) nil))
         (open (member id hone--open))
         (status (or (plist-get run :status) ""))
         (line (format "%s%s%s %s  %s  %s  %s  %s"
                       (if (equal id hone--marked) ">" " ")
                       (make-string (* 2 depth) ?\s)
                       (cond ((null children) " ") (open "▾") (t "▸"))
                       (hone--cell (or (plist-get run :name) "") (- 34 (* 2 depth)))
                       (hone--cell (or (plist-get run :kind) "") 9)
                       (hone--cell (if (plist-get run :score) (format "%6.2f" (plist-get run :score)) "") 6)
                       (hone--cell status 9)
                       (hone--cell (hone--when run) 24))))
    (insert (propertize (string-trim-right line)
                        'hone-run run
                        'face (and (string-match-p "FAIL\\|KILL" status) 'hone-error))
            "\n")
    (when open (dolist (child children) (hone--draw-run child (1+ depth))))))

(defun hone--cell (text width)
  "TEXT on one line, in WIDTH columns."
  (truncate-string-to-width (replace-regexp-in-string "[\n\t]" " " (hone-clean text)) width 0 ?\s "…"))

(defun hone--when (run)
  "When RUN began, and how long it took."
  (let ((start (plist-get run :startTime))
        (duration (plist-get run :duration)))
    (concat (if (stringp start) (format-time-string "%F %R" (date-to-time start)) "")
            (if (numberp duration) (format "  %.1f s" duration) ""))))

(defun hone--run-at-point ()
  "The run on this line, or nil."
  (get-text-property (line-beginning-position) 'hone-run))

(defun hone--this-run ()
  "The run on this line."
  (or (hone--run-at-point) (user-error "Hone: no run on this line")))

(defun hone--go-to-run (id)
  "Put point on the line of the run ID."
  (let ((start (point-min)))
    (while (and start (not (equal id (plist-get (get-text-property start 'hone-run) :runId))))
      (setq start (next-single-property-change start 'hone-run)))
    (when start (goto-char start))))

(defun hone-runs-toggle ()
  "Show or hide the runs under the one at point."
  (interactive)
  (let ((id (plist-get (hone--this-run) :runId)))
    (setq hone--open (if (member id hone--open) (remove id hone--open) (cons id hone--open)))
    (hone--draw-runs)))

(defun hone-runs-toggle-all ()
  "Show all children, or none."
  (interactive)
  (setq hone--open (unless hone--open (mapcar (lambda (run) (plist-get run :runId)) hone--runs)))
  (hone--draw-runs))

(defun hone-runs-switch ()
  "Show all runs, or those of the program file."
  (interactive)
  (unless hone--file (user-error "Hone: all runs are shown; open this from a program file to see its own"))
  (setq hone--scope (not hone--scope))
  (hone-runs-refresh))

(defun hone-runs-trace ()
  "Open the first trace of the run at point."
  (interactive)
  (hone-open-trace hone--source `(:runId ,(plist-get (hone--this-run) :runId))))

(defun hone-runs-watch ()
  "Follow the run at point, which must be in progress."
  (interactive)
  (let ((run (hone--this-run)))
    (hone-watch-run hone--source (plist-get run :name) `[(:run ,(plist-get run :runId))])))

(defun hone-runs-cancel ()
  "Cancel the run at point, whoever started it.
Finished results stay tracked."
  (interactive)
  (let* ((run (hone--this-run))
         (answer (hone-get hone--source :workspace/executeCommand
                           `(:command "hone.cancel" :arguments [(:run ,(plist-get run :runId))]))))
    (hone-runs-refresh)
    (message (if (eql (plist-get answer :cancelled) 0) "Hone: run %s was not running"
               "Hone: cancelled run %s; finished results are tracked")
             (hone-short (plist-get run :runId)))))

(defun hone-runs-more ()
  "Show earlier runs too."
  (interactive)
  (unless hone--more (user-error "Hone: all runs are shown"))
  (setq hone--limit (+ hone--limit hone--step))
  (hone-runs-refresh))

(defun hone-runs-load ()
  "Load the program of the run at point into the program file."
  (interactive)
  (let ((run (plist-get (hone--this-run) :runId)))
    (unless hone--file (user-error "Hone: open a program file and show the runs from there"))
    (pop-to-buffer (find-file-noselect hone--file))
    (hone-load-best run)))

(defun hone-runs-diff ()
  "Mark the run at point; if one is marked, compare the two programs."
  (interactive)
  (let ((id (plist-get (hone--this-run) :runId)))
    (cond ((null hone--marked)
           (setq hone--marked id)
           (hone--draw-runs)
           (message "Hone: marked; press d on another run, or here to compare with the file"))
          (t
           (let ((left (if (equal hone--marked id)
                           (if hone--file `(:uri ,(hone-uri hone--file)) (user-error "Hone: choose another run"))
                         `(:run ,hone--marked))))
             (setq hone--marked nil)
             (hone--draw-runs)
             (hone-show-diff hone--source left `(:run ,id)))))))

(defun hone-run-choices (runs)
  "The RUNS and those under them, to choose from.
An alist of what a person reads and what names the run."
  (cl-loop for run in runs
           for line = (format "%s  %s  %s" (hone--cell (or (plist-get run :name) "") 24)
                              (if (plist-get run :score) (format "%.2f" (plist-get run :score)) "-")
                              (hone-short (plist-get run :runId)))
           append (cons (cons line `(:run ,(plist-get run :runId)))
                        (hone-run-choices (append (plist-get run :children) nil)))))

;;; One run

(defun hone-runs-open ()
  "Open the run at point: its figures, settings and traces."
  (interactive)
  (hone-open-run hone--source (plist-get (hone--this-run) :runId)))

(defun hone-open-run (connection id &optional limit)
  "Open the run ID as CONNECTION knows it, with its newest LIMIT traces."
  (let* ((limit (or limit hone--step))
         (run (plist-get (hone-get connection :getRun `(:runId ,id)) :run))
         (listed (hone-get connection :listTraces `(:runId ,id :maxResults ,limit)))
         (traces (append (plist-get listed :traces) nil))
         (buffer (get-buffer-create (format "*hone run %s*" (hone-short id)))))
    (with-current-buffer buffer
      (hone-outline-mode)
      (setq hone--source connection
            hone--again (lambda () (hone-open-run connection id limit))
            header-line-format (hone--header (format "Run %s" (plist-get run :name))
                                             "TAB fold, RET open a trace, g refresh, q quit"))
      (let ((inhibit-read-only t))
        (erase-buffer)
        (hone-outline-lines
         `((0 ,(format "%s  %s" (plist-get run :name) (plist-get run :status)) t)
           (0 ,(format "run %s" id)) (0 ,(hone--when run))
           ,@(hone--members "Metrics" (plist-get run :metrics))
           ,@(hone--members "Parameters" (plist-get run :params))
           ,@(hone--members "Tags" (plist-get run :tags))))
        (when traces
          (hone-outline-lines `((1 ,(format "Traces (%d)" (length traces)) t)))
          (dolist (trace traces) (hone--draw-trace connection trace traces))
          (when (plist-get listed :nextPageToken)
            (let ((start (point)))
              (hone-outline-lines '((1 "… earlier traces: RET")))
              (put-text-property start (point) 'hone-open
                                 (lambda () (hone-open-run connection id (+ limit hone--step)))))))
        (goto-char (point-min))))
    (pop-to-buffer buffer)))

(defun hone--draw-trace (connection trace siblings)
  "Insert a line that opens TRACE, one of SIBLINGS, through CONNECTION."
  (let ((start (point)))
    (hone-outline-lines
     `((1 ,(format "%-5s %s  %s" (plist-get trace :status)
                   (mapconcat (lambda (judgement) (format "%s" (hone--value (plist-get judgement :value))))
                              (plist-get trace :assessments) " ")
                   (hone--cell (or (plist-get trace :requestPreview) "") 90)))))
    (put-text-property start (point) 'hone-open
                       (lambda ()
                         (hone-open-trace connection `(:traceId ,(plist-get trace :traceId)))
                         (setq hone--siblings siblings)))))

(defun hone--members (title object)
  "The members of OBJECT as lines under TITLE; none if there are none."
  (when object
    `((1 ,title t)
      ,@(cl-loop for (key value) on object by #'cddr
                 collect (list 1 (format "%s: %s" (substring (symbol-name key) 1) (hone--value value)))))))

(defun hone--value (value)
  "VALUE as a person writes it."
  (pcase value
    ('t "yes")
    (:json-false "no")
    ('nil "-")
    ((and (pred floatp) (guard (and (< (abs value) 1e15) (= value (ftruncate value))))) (format "%d" value))
    (_ (format "%s" value))))

(provide 'hone-runs)
;;; hone-runs.el ends here
