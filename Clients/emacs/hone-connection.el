;;; hone-connection.el --- The connection to Hone's service  -*- lexical-binding: t; -*-

;; This file is part of the package hone.

;;; Commentary:

;; One service for each directory that holds a store, spoken to through jsonrpc.el; requests with progress that can be
;; cancelled, shown by a progress reporter and in the mode line; errors as messages with what to do next.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'subr-x)
(require 'url-util)

(defgroup hone nil
  "Optimizing language-model programs with Hone."
  :group 'tools
  :prefix "hone-")

(defcustom hone-program "hone"
  "The program `hone': its name on the PATH, or its path."
  :type 'string)

(defcustom hone-attach nil
  "Whether to use the store's shared service; it is started if there is none.
Scripts, notebooks and other editors that attach see the same
runs live.  Otherwise Emacs starts its own service."
  :type 'boolean)

(defcustom hone-arguments nil
  "More arguments for \"hone serve\", such as (\"--home\" \"~/runs\")."
  :type '(repeat string))

(defclass hone-service (jsonrpc-process-connection)
  ((last-id :initform nil :documentation "The id of the request sent last.")
   (jobs :initform (make-hash-table :test #'equal) :documentation "Requests with progress, by token."))
  :documentation "A connection to one service.")

(cl-defmethod jsonrpc-connection-send :before ((connection hone-service) &rest message)
  "Remember the id of the MESSAGE that goes out on CONNECTION.
Cancelling needs it, and jsonrpc.el does not tell it."
  (when (and (plist-get message :method) (plist-get message :id))
    (setf (slot-value connection 'last-id) (plist-get message :id))))

(cl-defstruct hone-job
  "A request with progress."
  connection id token title reporter message percentage)

(defvar hone--connections (make-hash-table :test #'equal)
  "Connections by the directory of their service.")

(defvar hone-notification-functions nil
  "Functions of a connection, a method and its parameters.
They are called with the service's notifications.")

(defvar hone-after-job-hook nil
  "Run after a request with progress has ended.")

;;; Starting

(defun hone--root ()
  "The directory whose store the current buffer uses.
The nearest with a store, else the project's, else the buffer's own."
  (expand-file-name
   (or (locate-dominating-file default-directory ".hone")
       (locate-dominating-file default-directory ".git")
       default-directory)))

(defun hone-connection ()
  "The connection for the current buffer, started if there is none."
  (let* ((root (hone--root))
         (known (gethash root hone--connections)))
    (if (and known (jsonrpc-running-p known))
        known
      (let ((connection (hone--start root)))
        (puthash root connection hone--connections)
        connection))))

(defun hone--start (root)
  "Start a service in ROOT and greet it."
  (unless (or (executable-find hone-program) (file-executable-p hone-program))
    (user-error "There is no program \"%s\".  Build Hone, then put it on the PATH or name it in `hone-program'"
                hone-program))
  (let* ((name (format "hone %s" (abbreviate-file-name root)))
         (connection
          (apply
           #'make-instance 'hone-service
           :name name
           :process (lambda () (hone--process name root))
           :request-dispatcher #'hone--dispatch-request
           :notification-dispatcher #'hone--dispatch-notification
           :on-shutdown #'hone--ended
           (if (slot-exists-p 'jsonrpc-connection '-events-buffer-config)
               '(:events-buffer-config (:size 0))
             '(:events-buffer-scrollback-size 0)))))
    (condition-case failure
        (progn
          (jsonrpc-request
           connection :initialize
           `(:processId ,(emacs-pid)
             :clientInfo (:name "Emacs" :version ,emacs-version)
             :rootUri ,(hone-uri root)
             :capabilities
             (:textDocument
              (:publishDiagnostics (:versionSupport t)
               :hover (:contentFormat ["plaintext"])
               :codeAction (:codeActionLiteralSupport (:codeActionKind (:valueSet ["" "quickfix"]))))))
           :timeout 20)
          (jsonrpc-notify connection :initialized (make-hash-table)))
      (error
       (when (jsonrpc-running-p connection) (delete-process (jsonrpc--process connection)))
       (user-error "Hone's service did not start: %s" (hone--failure-text failure connection))))
    connection))

(defun hone--process (name root)
  "Start \"hone serve\" in ROOT.
Its errors go to a buffer that jsonrpc.el knows by NAME."
  (let ((default-directory root)
        (process-environment (cons "NO_COLOR=1" process-environment)))
    (make-process
     :name name
     :command `(,(or (executable-find hone-program) hone-program)
                "serve" ,@(and hone-attach '("--attach")) ,@hone-arguments)
     :connection-type 'pipe
     :coding 'utf-8-emacs-unix
     :noquery t
     :stderr (get-buffer-create (format "*%s stderr*" name)))))

(defun hone--ended (connection)
  "Forget CONNECTION, whose service has ended."
  (maphash (lambda (key known) (when (eq known connection) (remhash key hone--connections)))
           (copy-hash-table hone--connections))
  (run-hook-with-args 'hone-notification-functions connection 'hone/ended nil)
  (force-mode-line-update t))

(defun hone-stop ()
  "End the services that Emacs started."
  (interactive)
  (maphash
   (lambda (_key connection)
     (ignore-errors (jsonrpc-request connection :shutdown nil :timeout 5))
     (ignore-errors (jsonrpc-notify connection :exit nil)))
   (copy-hash-table hone--connections))
  (clrhash hone--connections))

;;; What the service says

(defun hone--dispatch-notification (connection method params)
  "Act on the notification METHOD with PARAMS that came on CONNECTION."
  (pcase method
    ('$/progress
     (when-let ((job (gethash (plist-get params :token) (slot-value connection 'jobs))))
       (hone--job-progress job (plist-get params :value))))
    ;; What comes of long work is told from its answer.
    ('window/showMessage
     (unless (hone-jobs) (message "Hone: %s" (hone-clean (plist-get params :message)))))
    (_ (run-hook-with-args 'hone-notification-functions connection method params))))

(defun hone--dispatch-request (_connection method params)
  "Answer the service's request METHOD with PARAMS.
Of what it may ask Emacs knows only a question with answers to
choose from; the first is the one that yes stands for."
  (pcase method
    ('window/showMessageRequest
     (let* ((titles (mapcar (lambda (action) (plist-get action :title)) (plist-get params :actions)))
            (yes (yes-or-no-p (format "Hone: %s " (hone-clean (plist-get params :message)))))
            (title (if yes (car titles) (cadr titles))))
       (and title (list :title title))))
    (_ (jsonrpc-error :code -32601 :message (format "Emacs does not know %s." method)))))

;;; Asking

(cl-defun hone-ask (connection method params &key then otherwise)
  "Ask CONNECTION for METHOD with PARAMS; return the request's id.
THEN gets the result, OTHERWISE the error; without it, the
error is shown.  The answer may take any time."
  (let ((buffer (current-buffer)))
    (jsonrpc-async-request
     connection method params
     :timeout nil
     :success-fn (lambda (result)
                   (with-current-buffer (if (buffer-live-p buffer) buffer (current-buffer))
                     (funcall (or then #'ignore) result)))
     :error-fn (lambda (failure)
                 (with-current-buffer (if (buffer-live-p buffer) buffer (current-buffer))
                   (if otherwise (funcall otherwise failure) (hone-show-error failure)))))
    (slot-value connection 'last-id)))

(defun hone-get (connection method params)
  "The answer of CONNECTION to METHOD with PARAMS, waited for.
Errors become a `user-error'."
  (condition-case failure
      (jsonrpc-request connection method params :timeout 60)
    (jsonrpc-error (user-error "Hone: %s" (hone--failure-text failure connection)))))

(cl-defun hone-run-job (connection title method params &key then cancelled)
  "Ask CONNECTION for METHOD with PARAMS and show its progress under TITLE.
THEN gets the result.  `hone-cancel' ends it, and CANCELLED is
what is said then.  Return the job."
  (let* ((token (format "emacs-%d-%d" (emacs-pid) (random most-positive-fixnum)))
         (jobs (slot-value connection 'jobs))
         (job (make-hone-job :connection connection :token token :title title
                             :reporter (make-progress-reporter (format "Hone: %s… " title) 0 100 0 1 0.2))))
    (puthash token job jobs)
    (let ((end (lambda ()
                 (remhash token jobs)
                 (force-mode-line-update t)
                 (run-with-timer 0 nil #'run-hooks 'hone-after-job-hook))))
      (setf (hone-job-id job)
            (hone-ask connection method (append params `(:workDoneToken ,token))
                      :then (lambda (result) (funcall end) (funcall (or then #'ignore) result))
                      :otherwise (lambda (failure)
                                   (funcall end)
                                   (hone-show-error failure title cancelled)))))
    (force-mode-line-update t)
    job))

(defun hone--job-progress (job value)
  "Show VALUE, what JOB reported."
  (when (equal (plist-get value :kind) "report")
    (setf (hone-job-message job) (hone-clean (or (plist-get value :message) (hone-job-message job) ""))
          (hone-job-percentage job) (or (plist-get value :percentage) (hone-job-percentage job)))
    (progress-reporter-update
     (hone-job-reporter job) (or (hone-job-percentage job) 0) (hone-job-message job))
    (force-mode-line-update t)))

(defun hone-jobs ()
  "All requests with progress."
  (let (all)
    (maphash (lambda (_key connection) (setq all (append (hash-table-values (slot-value connection 'jobs)) all)))
             hone--connections)
    all))

(defun hone-cancel ()
  "Cancel a running compile or evaluation; finished results stay tracked."
  (interactive)
  (let* ((jobs (hone-jobs))
         (job (cond ((null jobs) (user-error "Hone: nothing is running"))
                    ((cdr jobs)
                     (let ((titles (mapcar (lambda (job) (cons (hone-job-title job) job)) jobs)))
                       (cdr (assoc (completing-read "Cancel: " titles nil t) titles))))
                    (t (car jobs)))))
    (jsonrpc-notify (hone-job-connection job) :$/cancelRequest `(:id ,(hone-job-id job)))
    (message "Hone: cancelling %s…" (hone-job-title job))))

(defun hone-mode-line ()
  "The running work, for the mode line."
  (mapconcat
   (lambda (job)
     (format " [Hone %s%s]" (string-replace "%" "%%" (hone-job-title job))
             (if (hone-job-percentage job) (format " %d%%%%" (hone-job-percentage job)) "")))
   (hone-jobs) ""))

;;; Errors and texts

(defun hone-error-text (failure)
  "FAILURE, the error object of an answer, as a person reads it.
It says what is wrong, each part of it, and what to do."
  (let* ((data (plist-get failure :data))
         (data (and (listp data) data)))
    (hone-clean
     (string-join
      (delq nil
            `(,(or (plist-get failure :message) "The service gave no message.")
              ,@(mapcar
                 (lambda (problem)
                   (format "  - %s: %s%s" (plist-get problem :path) (plist-get problem :message)
                           (if (plist-get problem :suggestion)
                               (format " Did you mean \"%s\"?" (plist-get problem :suggestion))
                             "")))
                 ;; A single problem is in the message already.
                 (and (> (length (plist-get data :problems)) 1) (plist-get data :problems)))
              ,(plist-get data :remedy)))
      "\n"))))

(defun hone--failure-text (failure connection)
  "The text of FAILURE, a condition that a request on CONNECTION raised."
  (let ((message (alist-get 'jsonrpc-error-message (cddr failure)))
        (tail (and (not (jsonrpc-running-p connection)) (hone--last-words connection))))
    (cond ((and tail (not (string-empty-p tail))) tail)
          (message (hone-error-text
                    `(:message ,message :data ,(alist-get 'jsonrpc-error-data (cddr failure)))))
          (t (error-message-string failure)))))

(defun hone--last-words (connection)
  "What the service of CONNECTION wrote to its standard error last."
  (let ((buffer (process-get (jsonrpc--process connection) 'jsonrpc-stderr)))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer
        (let ((start (max (point-min) (- (point-max) 600))))
          (hone-clean (string-trim (buffer-substring-no-properties start (point-max)))))))))

(defun hone-show-error (failure &optional title cancelled)
  "Show FAILURE, the error object of an answer, as a message.
TITLE says what failed; CANCELLED is said of what was cancelled."
  (let ((run (plist-get (plist-get failure :data) :runId)))
    (if (eql (plist-get failure :code) -32800)
        (message "Hone: %s %s" (or title "the request")
                 (or cancelled
                     (concat "cancelled"
                             (if run (format "; finished results are in run %s" (hone-short run)) ""))))
      (message "Hone: %s%s" (if title (concat title " failed: ") "") (hone-error-text failure)))))

(defun hone-short (id)
  "The end of ID; how ids begin tells little but when they were made."
  (concat "…" (substring id (- (min 8 (length id))))))

(defun hone-clean (text)
  "TEXT with control characters made visible.
So what a model wrote cannot disturb the display.  Line ends and
tabs stay; characters that turn the direction of text are shown
by their number."
  (replace-regexp-in-string
   "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]\\|[\x3fff80-\x3fffff]"
   (lambda (found)
     (let ((code (aref found 0)))
       (cond ((< code #x20) (string (+ #x2400 code)))
             ((= code #x7f) "\u2421")
             (t (format "<U+%04X>" code)))))
   (replace-regexp-in-string "\r\n" "\n" (if (stringp text) text (format "%s" text)) t t) t t))

(defconst hone--path-characters
  (let ((allowed (make-vector 256 nil)))
    (dolist (character (cons ?/ url-unreserved-chars) allowed)
      (aset allowed character t)))
  "Which characters stand for themselves in the path of a URI.")

(defun hone-uri (path)
  "The file URI of PATH."
  (concat "file://" (url-hexify-string (expand-file-name path) hone--path-characters)))

(defun hone-path (uri)
  "The path of the file URI."
  (decode-coding-string (url-unhex-string (string-remove-prefix "file://" uri)) 'utf-8))

(provide 'hone-connection)
;;; hone-connection.el ends here
