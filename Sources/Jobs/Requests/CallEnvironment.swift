package import HTTPModels
import JSON
package import Platform
package import Programs

/// What a call knows of its surroundings.
package struct CallEnvironment: Sendable {
  /// Who hears how far the work is; nobody where nil.
  package var progress: (any ProgressSink)?
  /// The directory from which relative paths in requests count.
  package var baseDirectory: String
  /// Whether the request is only read and checked: nothing is asked of a model, fetched, written or opened.
  package var isCheck = false
  /// Whether the request only estimates: no model is asked.
  var isEstimate = false
  /// Whether the request is one that was kept with a run.
  var isResumed = false
  /// Data sets that were read before, for whoever checks one request again and again.
  package var datasets: DatasetCache?
  /// The client that asked, as far as it can be asked in turn; nil: callbacks cannot be served.
  package var peer: (any CallbackPeer)?
  /// What that client said it serves.
  package var served = ServedCallbacks()
  /// The place of a `predict` within the execution that it names; taken when the call came, since places are numbered.
  package var place: HostExecution.Place?
  /// What is known of whoever asks, where keys are concerned.
  package var asker = KeyRules.Asker()
  /// Whether the caller may name files of this machine; a page may not.
  package var opensFiles = true
  /// The only directory whose files the caller may name; nil for no such bound.
  package var enclosure: Enclosure?
  /// Whether an agent asks: those alone are kept within a directory.
  var isAgents: Bool { enclosure != nil }
  /// The files that the caller has had written, which alone may be overwritten; nil where any may.
  package var written: WrittenFiles?
  /// What the caller may spend over several requests; nil for no such bound.
  package var ceiling: SpendingCeiling?

  package init(progress: (any ProgressSink)? = nil, baseDirectory: String, peer: (any CallbackPeer)? = nil) {
    self.progress = progress
    self.baseDirectory = baseDirectory
    self.peer = peer
  }

  /// The absolute path of a file that the request names; nil where it is outside of what the caller may name.
  package func place(ofFile path: String) -> String? {
    let path = LocalFile.resolve(path, base: baseDirectory)
    guard let enclosure else { return path }
    return enclosure.place(of: path)
  }

  /// Why a file that the request names is not opened.
  package func outside(_ path: String) -> String { enclosure?.refusal(of: path) ?? "\(path) is no file." }

  /// The surroundings of a call from the web page.
  package static var page: CallEnvironment {
    var environment = CallEnvironment(baseDirectory: "")
    environment.opensFiles = false
    return environment
  }
}
