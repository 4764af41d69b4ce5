package import Messages

/// Whose call it is, for accounting and for the identity of uncached calls.
package struct CallContext: Sendable {
  package var account: RunAccount
  package var role: CallRole
  /// Where in the run the call stands (`trial 3/row 17`): the same whenever the run is done again,
  /// whatever the concurrency. Tells calls of one content apart where the cache is off.
  package var scope: String
  /// The beginning of `scope` that only says on which occasion (`eval_minibatch_3`) the call is made: where the cache
  /// is off, a call that is otherwise the same has the same answer throughout the run.
  package var occasion = ""
  /// A number that makes an otherwise equal request a new one; 0 is the first.
  package var rollout: Int

  package init(account: RunAccount, role: CallRole = .task, scope: String = "", rollout: Int = 0) {
    self.account = account
    self.role = role
    self.scope = scope
    self.rollout = rollout
  }

  /// Where in the run the call stands, whatever the occasion.
  var place: Substring { scope.hasPrefix(occasion) ? scope.dropFirst(occasion.count) : scope[...] }
}

/// A completion as the program gets it.
package struct ModelAnswer: Sendable {
  package enum Source: String, Sendable {
    /// Asked for, and paid, now.
    case model
    /// Found in the store, or paid by an equal call made at the same time.
    case cache
  }
  package var reply: ModelReply
  package var source: Source
  /// US dollars of this call; nil where the price is unknown, 0 from the cache.
  package var cost: Double?

  package init(reply: ModelReply, source: Source, cost: Double?) {
    self.reply = reply
    self.source = source
    self.cost = cost
  }
}
