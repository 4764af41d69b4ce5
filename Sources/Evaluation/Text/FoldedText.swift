import Basics

/// A text without the differences that no writer means: half and full width, digits of several scripts, look-alike quotes
/// and dashes, composed and decomposed letters, invisible characters and, unless asked otherwise, case.
///
/// Of Unicode's compatibility mappings (UAX #15, NFKC) only those of width are followed: `x²` is not `x2`. Case is folded
/// by way of capitals, so that a text is the same as itself in capitals or in small letters (`ß` and `SS`, final sigma).
func foldedText(_ text: String, ignoringCase: Bool = true) -> [Unicode.Scalar] {
  if text.utf8.allSatisfy({ $0 < 0x80 && $0 != 0x60 && ($0 >= 0x20 || (0x09...0x0D).contains($0)) && $0 != 0x7F }) {
    return ignoringCase ? PythonText.lower(Array(text.unicodeScalars)) : Array(text.unicodeScalars)
  }
  var view = String.UnicodeScalarView()
  for scalar in text.unicodeScalars where !isInvisible(scalar) { view.append(plain(scalar)) }
  guard ignoringCase else { return canonicallyDecomposed(String(view)) }
  var folded = String.UnicodeScalarView()
  for scalar in view {
    for small in scalar.properties.lowercaseMapping.unicodeScalars {
      for capital in small.properties.uppercaseMapping.unicodeScalars {
        folded.append(contentsOf: capital.properties.lowercaseMapping.unicodeScalars)
      }
    }
  }
  return canonicallyDecomposed(String(folded))
}

/// Characters that only direct how others look, and controls that are no white space.
private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0xFE00...0xFE0F, 0xE0100...0xE01EF: true
  default:
    switch scalar.properties.generalCategory {
    case .format: true
    case .control: !PythonText.isSpace(scalar)
    default: false
    }
  }
}

private func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
  if scalar.isASCII { return scalar == "`" ? "'" : scalar }
  if let known = lookAlikes[scalar] { return known }
  switch scalar.value {
  // ASCII in full width, and katakana in half width.
  case 0xFF01...0xFF5E:
    let narrow = Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
    return narrow == "`" ? "'" : narrow
  case 0xFF66...0xFF9F: return katakana[Int(scalar.value - 0xFF66)]
  default: break
  }
  guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else { return scalar }
  return Unicode.Scalar(UInt8(48 + Int(value)))
}

/// U+FF66 to U+FF9F; the last two are the voicing marks, which combine.
private let katakana: [Unicode.Scalar] =
  Array(
    "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン".unicodeScalars)
  + ["\u{3099}", "\u{309A}"]

private let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = {
  let groups: [(Unicode.Scalar, String.UnicodeScalarView)] = [
    ("'", "‘’‚‛‹›´′".unicodeScalars), ("\"", "“”„‟«»″「」『』｢｣〝〞〟《》〈〉".unicodeScalars),
    ("-", "‐‑‒–−﹣".unicodeScalars), ("—", "―⸺⸻".unicodeScalars), (".", "。｡٫।".unicodeScalars),
    (",", "、､،٬".unicodeScalars), (";", "؛".unicodeScalars), ("?", "؟".unicodeScalars), (":", "∶".unicodeScalars),
    ("~", "〜".unicodeScalars), ("·", "・･".unicodeScalars), ("/", "⁄∕".unicodeScalars), (" ", "\u{3000}".unicodeScalars),
    ("[", "【〔〖".unicodeScalars), ("]", "】〕〗".unicodeScalars), ("¢", "￠".unicodeScalars), ("£", "￡".unicodeScalars),
    ("¥", "￥".unicodeScalars), ("₩", "￦".unicodeScalars),
  ]
  var result: [Unicode.Scalar: Unicode.Scalar] = [:]
  for (plain, others) in groups { for other in others { result[other] = plain } }
  return result
}()

/// Whether the scalar is of a script that is written without spaces between words: Chinese, Japanese, Thai, Lao, Khmer,
/// Burmese and their relatives.
func isWrittenWithoutSpaces(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case ..<0x0E00: false
  // Thai and Lao; Tibetan; Burmese; Khmer; Tai scripts.
  case 0x0E00...0x0FFF, 0x1000...0x109F, 0x1780...0x17FF, 0x1950...0x19FF, 0x1A20...0x1AAF: true
  // Kana and bopomofo; Han; Burmese extensions.
  case 0x3005...0x3007, 0x3040...0x312F, 0x31A0...0x31FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA9E0...0xA9FF,
    0xAA60...0xAADF, 0xF900...0xFAFF, 0x1B000...0x1B16F, 0x20000...0x3FFFF:
    true
  default: false
  }
}
