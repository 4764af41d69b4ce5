extension JSONValue {
  /// Whether it has about more than so many bytes as JSON; looks at no more of it than it takes to tell.
  package func isLarge(beyond bytes: Int) -> Bool {
    var left = bytes
    return !fits(&left)
  }

  fileprivate func fits(_ left: inout Int) -> Bool {
    switch self {
    case .string(let text): left -= text.utf8.count + 2
    case .array(let values):
      left -= 2 + values.count
      for value in values where left >= 0 { _ = value.fits(&left) }
    case .object(let object): _ = object.fits(&left)
    default: left -= 8
    }
    return left >= 0
  }
}

extension JSONObject {
  /// Whether it has about more than so many bytes as JSON; looks at no more of it than it takes to tell.
  package func isLarge(beyond bytes: Int) -> Bool {
    var left = bytes
    return !fits(&left)
  }

  fileprivate func fits(_ left: inout Int) -> Bool {
    left -= 2
    for (name, value) in self where left >= 0 {
      left -= name.utf8.count + 4
      _ = value.fits(&left)
    }
    return left >= 0
  }
}
