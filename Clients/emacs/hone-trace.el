;;; hone-trace.el --- Traces and runs as outlines, programs compared  -*- lexical-binding: t; -*-

;; This file is part of the package hone.

;;; Commentary:

;; Read-only buffers whose parts fold.  Their headings are marked by the client, and everything that came from a model
;; or from data is indented, so that no answer can pass itself off as a heading.

;;; Code:

(require 'outline)
(require 'hone-connection)

(declare-function ediff-buffers "ediff")

(defface hone-heading '((t :inherit outline-1)) "Headings of traces and runs." :group 'hone)
(defface hone-error '((t :inherit error)) "What failed." :group 'hone)

(defvar-local hone--source nil "The connection from which the buffer's content came.")
(defvar-local hone--again nil "The function that makes the buffer's content anew.")
(defvar-local hone--siblings nil "The traces beside this one, in order.")
(defvar-local hone--here nil "The id of the trace shown.")

(defvar hone-outline-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'hone-outline-toggle)
    (define-key map (kbd "<backtab>") #'outline-cycle-buffer)
    (define-key map (kbd "RET") #'hone-outline-open)
    (define-key map (kbd "n") #'outline-next-visible-heading)
    (define-key map (kbd "p") #'outline-previous-visible-heading)
    (define-key map (kbd "u") #'outline-up-heading)
    (define-key map (kbd "a") #'outline-show-all)
    (define-key map (kbd "N") #'hone-next-trace)
    (define-key map (kbd "P") #'hone-previous-trace)
    map)
  "Keys in traces and runs.")

(define-derived-mode hone-outline-mode special-mode "Hone-Trace"
  "A trace or a run, whose parts fold.
\\{hone-outline-mode-map}"
  (setq-local outline-regexp "\\*+ "
              outline-level (lambda () (1- (- (match-end 0) (match-beginning 0))))
              revert-buffer-function (lambda (&rest _) (when hone--again (funcall hone--again))))
  (setq truncate-lines nil
        word-wrap t)
  (add-to-invisibility-spec '(outline . t)))

(defun hone-outline-toggle ()
  "Fold or unfold the part at point."
  (interactive)
  (unless (outline-on-heading-p) (outline-back-to-heading))
  (if (outline-invisible-p (line-end-position))
      (outline-show-subtree)
    (outline-hide-subtree)))

(defun hone-outline-open ()
  "Open what the line at point names, or fold the part."
  (interactive)
  (let ((open (get-text-property (line-beginning-position) 'hone-open)))
    (if open (funcall open) (hone-outline-toggle))))

(defun hone-outline-lines (lines)
  "Insert LINES, each a list of depth, text and whether it is a heading."
  (pcase-dolist (`(,depth ,text ,heading) lines)
    (let ((text (replace-regexp-in-string "\n" "␤" (hone-clean text))))
      (if heading
          ;; Stars say how deep a heading is; what is seen in their place is the depth itself.
          (insert (propertize (concat (make-string (1+ depth) ?*) " ")
                              'display (concat (make-string (* 2 depth) ?\s) "• "))
                  (propertize text 'face (if (string-match-p "\\bERROR\\b" text) 'hone-error 'hone-heading))
                  "\n")
        (let ((indentation (make-string (+ 2 (* 2 depth)) ?\s)))
          (insert (propertize (concat indentation text) 'wrap-prefix indentation) "\n"))))))

(defun hone-show-lines (name title lines)
  "Show LINES, objects of depth and text, in the buffer NAME under TITLE."
  (with-current-buffer (get-buffer-create name)
    (hone-outline-mode)
    (setq header-line-format (hone--header title "TAB fold, S-TAB fold all, n/p move, q quit"))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (hone-outline-lines (hone--headed lines))
      (goto-char (point-min))))
  (pop-to-buffer name))

(defun hone--headed (lines)
  "LINES, objects of depth and text, as lists for `hone-outline-lines'.
A line is a heading if the next is deeper."
  (let ((all (append lines nil)))
    (cl-loop for (line next) on all
             collect (list (plist-get line :depth) (plist-get line :text)
                           (and next (> (plist-get next :depth) (plist-get line :depth)))))))

;;; Traces

(defun hone-open-trace (connection argument)
  "Open the trace that ARGUMENT names, as CONNECTION knows it."
  (let* ((answer (hone-get connection :workspace/executeCommand
                           `(:command "hone.trace" :arguments [,argument])))
         (traces (or (append (plist-get answer :traces) nil) (plist-get argument :siblings)))
         (buffer (get-buffer-create (format "*hone trace %s*" (hone-short (plist-get answer :traceId))))))
    (with-current-buffer buffer
      (hone-outline-mode)
      (setq hone--source connection
            hone--siblings traces
            hone--here (plist-get answer :traceId)
            hone--again (lambda () (hone-open-trace connection argument))
            header-line-format (hone--header (plist-get answer :title)
                                             "TAB fold, S-TAB fold all, n/p move, N/P next trace, q quit"))
      (let ((inhibit-read-only t))
        (erase-buffer)
        (hone-outline-lines (hone--headed (plist-get answer :lines)))
        ;; Spans are seen at first, and what went in and out; messages are folded.
        (outline-map-region (lambda () (when (= (funcall outline-level) 5) (outline-hide-subtree)))
                            (point-min) (point-max))
        (goto-char (point-min))))
    (pop-to-buffer buffer)))

(defun hone--header (title keys)
  "A header line with TITLE and KEYS.
Nothing in it is a construct of the mode line."
  (replace-regexp-in-string "%" "%%" (format " %s   %s" (hone-clean title) (propertize keys 'face 'shadow)) t t))

(defun hone-next-trace (&optional back)
  "Open the trace after this one, or the one before it if BACK."
  (interactive)
  (let* ((ids (mapcar (lambda (trace) (plist-get trace :traceId)) hone--siblings))
         (place (cl-position hone--here ids :test #'equal))
         (index (and place (+ place (if back -1 1))))
         (siblings hone--siblings))
    (unless (and index (<= 0 index) (nth index ids))
      (user-error "Hone: there is no %s trace" (if back "previous" "next")))
    (hone-open-trace hone--source `(:traceId ,(nth index ids)))
    (setq hone--siblings siblings)))

(defun hone-previous-trace ()
  "Open the trace before this one."
  (interactive)
  (hone-next-trace t))

;;; Comparing

(defun hone-show-diff (connection left right)
  "Compare the programs LEFT and RIGHT, as CONNECTION knows them, with Ediff."
  (let ((answer (hone-get connection :workspace/executeCommand
                          `(:command "hone.diff" :arguments [(:left ,left :right ,right)]))))
    (require 'ediff)
    (ediff-buffers (hone--program-buffer "A" (plist-get answer :left))
                   (hone--program-buffer "B" (plist-get answer :right)))))

(defun hone--program-buffer (side program)
  "A buffer with the text of PROGRAM, which stands on SIDE."
  (with-current-buffer (get-buffer-create (format "*hone %s: %s*" side (hone-clean (plist-get program :title))))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (hone-clean (plist-get program :text))))
    (special-mode)
    (current-buffer)))

(provide 'hone-trace)
;;; hone-trace.el ends here
