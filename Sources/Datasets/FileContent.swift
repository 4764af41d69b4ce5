import Compression
import Platform

/// What a data file holds, as its first bytes say it; its name is not asked.
enum FileContent {
  /// Text: JSON or a table, unpacked and in UTF-8.
  case text(any ByteSource)
  /// Something that is not read: what it is, and what to do with it.
  case other(what: String, remedy: String)

  /// So many of the first bytes are looked at.
  private static let looked = 4096
  /// A packed file may be packed again, so often.
  private static let layers = 3

  /// - Parameter name: the file's, for commands.
  static func of(_ source: any ByteSource, name: String) throws(LocalFile.Failure) -> FileContent {
    var source = source
    for _ in 0..<layers {
      let head = try source.read(looked)
      try source.rewind()
      if let packing = Packing.allCases.first(where: { head.starts(with: $0.magic) }) {
        source = try UnpackedBytes(source, packing)
        continue
      }
      if let isLittleEndian = byteOrder(head) { return .text(UTF16Bytes(source, isLittleEndian: isLittleEndian)) }
      if let other = ForeignFormat.all.first(where: { $0.isOne(head) }) {
        return .other(what: other.what, remedy: other.remedy(name))
      }
      if head.contains(0) {
        return .other(what: "no text", remedy: "Write its rows as JSON Lines, JSON or CSV, in UTF-8.")
      }
      return .text(source)
    }
    return .other(what: "content that is packed more than twice", remedy: "Unpack it.")
  }

  /// Whether UTF-16 begins here, by its mark or by the zeros beside ASCII, and with which byte first.
  private static func byteOrder(_ head: [UInt8]) -> Bool? {
    let isUTF32 = head.starts(with: [0xFF, 0xFE, 0, 0])
    if head.starts(with: [0xFF, 0xFE]), !isUTF32 { return true }
    if head.starts(with: [0xFE, 0xFF]) { return false }
    guard head.count >= 4 else { return nil }
    let zeros = head.prefix(4).map { $0 == 0 }
    if zeros == [false, true, false, true] { return true }
    return zeros == [true, false, true, false] ? false : nil
  }
}

/// A format that data comes in and that is not read, with the way from it to one that is.
private struct ForeignFormat: Sendable {
  var what: String
  var isOne: @Sendable ([UInt8]) -> Bool
  var remedy: @Sendable (String) -> String

  private static func begins(_ magic: [UInt8]) -> @Sendable ([UInt8]) -> Bool { { $0.starts(with: magic) } }
  private static func begins(_ magic: String) -> @Sendable ([UInt8]) -> Bool { begins(Array(magic.utf8)) }

  /// Whether the first word is the name of a table's column.
  private static func isTable(_ head: [UInt8]) -> Bool {
    head.first { !(0x30...0x7A).contains($0) || $0 == 0x3B }.map { ",;\t\r\n|".utf8.contains($0) } ?? false
  }

  private static func holds(_ texts: String...) -> @Sendable ([UInt8]) -> Bool {
    { head in
      let text = String(decoding: head, as: Unicode.ASCII.self)
      return head.starts(with: "PK\u{3}\u{4}".utf8) && texts.contains { text.contains($0) }
    }
  }

  private static func opens(_ words: String...) -> @Sendable ([UInt8]) -> Bool {
    { head in
      let start = head.drop { $0 == 0x20 || (0x09...0x0D).contains($0) || [0xEF, 0xBB, 0xBF].contains($0) }
      let text = String(decoding: start.prefix(40), as: UTF8.self).lowercased()
      return words.contains { text.hasPrefix($0) }
    }
  }

  /// The one line of Python that makes JSON Lines of it.
  private static func pandas(_ reader: String) -> @Sendable (String) -> String {
    { name in
      let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
      let quoted = { (text: String) in "'\(text.filter { !"'\"\\$`".contains($0) })'" }
      return "Make JSON Lines of it: python3 -c \"import pandas; pandas.\(reader)(\(quoted(name))).to_json("
        + "\(quoted(stem + ".jsonl")), orient='records', lines=True)\""
    }
  }

  private static func command(_ command: String) -> @Sendable (String) -> String { { "Unpack it: \(command) \($0)" } }

  static let all: [ForeignFormat] = [
    ForeignFormat(what: "Parquet", isOne: { begins("PAR1")($0) && !isTable($0) }, remedy: pandas("read_parquet")),
    ForeignFormat(
      what: "an Excel workbook", isOne: holds("[Content_Types].xml", "xl/"), remedy: pandas("read_excel")),
    ForeignFormat(
      what: "an OpenDocument file", isOne: holds("vnd.oasis.opendocument"), remedy: pandas("read_excel")),
    ForeignFormat(
      what: "an old Excel workbook", isOne: begins([0xD0, 0xCF, 0x11, 0xE0]), remedy: pandas("read_excel")),
    ForeignFormat(what: "a ZIP archive", isOne: begins("PK\u{3}\u{4}"), remedy: command("unzip")),
    ForeignFormat(
      what: "an SQLite database", isOne: begins("SQLite format 3\0"),
      remedy: { "Write a table of it as CSV: sqlite3 -csv -header \($0) 'SELECT * FROM TABLE' > rows.csv" }),
    ForeignFormat(
      what: "a pickle of Python's", isOne: { $0.count > 1 && $0[0] == 0x80 && (2...5).contains($0[1]) },
      remedy: { "If you trust whoever made it (a pickle can run anything): " + pandas("read_pickle")($0) }),
    ForeignFormat(
      what: "an Arrow file (Feather)", isOne: { begins("ARROW1")($0) || begins("FEA1")($0) },
      remedy: pandas("read_feather")),
    ForeignFormat(
      what: "an Arrow stream", isOne: begins([0xFF, 0xFF, 0xFF, 0xFF]),
      remedy: {
        "Make JSON Lines of it: python3 -c \"import datasets; datasets.Dataset.from_file('\($0)').to_json('rows.jsonl')\""
      }),
    ForeignFormat(what: "ORC", isOne: { begins("ORC")($0) && $0.contains { $0 < 9 } }, remedy: pandas("read_orc")),
    ForeignFormat(what: "HDF5", isOne: begins([0x89] + Array("HDF".utf8)), remedy: pandas("read_hdf")),
    ForeignFormat(
      what: "Avro", isOne: begins("Obj\u{1}"), remedy: { _ in "Write its rows as JSON Lines (avro-tools tojson)." }),
    ForeignFormat(
      what: "an array of NumPy's", isOne: begins([0x93] + Array("NUMPY".utf8)),
      remedy: { _ in "Write its rows as JSON Lines, an object a line." }),
    ForeignFormat(
      what: "a PDF document", isOne: begins("%PDF"), remedy: { _ in "Write its rows as CSV or JSON Lines." }),
    ForeignFormat(
      what: "a web page (HTML), not data", isOne: opens("<!doctype html", "<html"),
      remedy: { _ in
        "It is what the server sent in place of the file: download the raw file, signed in where that is needed."
      }),
    ForeignFormat(
      what: "XML", isOne: opens("<?xml"), remedy: { _ in "Write its rows as JSON Lines, an object a line." }),
    ForeignFormat(
      what: "a pointer of Git LFS, not the data", isOne: begins("version https://git-lfs.github.com/spec/"),
      remedy: { "Get the data: git lfs pull --include \($0)" }),
    ForeignFormat(
      what: "bzip2", isOne: { begins("BZh")($0) && $0.dropFirst(4).starts(with: "1AY".utf8) },
      remedy: command("bunzip2")),
    ForeignFormat(what: "xz", isOne: begins([0xFD] + Array("7zXZ".utf8)), remedy: command("unxz")),
    ForeignFormat(what: "LZ4", isOne: begins([0x04, 0x22, 0x4D, 0x18]), remedy: command("lz4 -d")),
    ForeignFormat(what: "a 7z archive", isOne: begins([0x37, 0x7A, 0xBC, 0xAF]), remedy: command("7z x")),
    ForeignFormat(
      what: "a tar archive", isOne: { $0.count > 262 && $0[257..<262].elementsEqual("ustar".utf8) },
      remedy: command("tar -xf")),
    ForeignFormat(
      what: "text in UTF-32",
      isOne: { begins([0xFF, 0xFE, 0, 0])($0) || begins([0, 0, 0xFE, 0xFF])($0) },
      remedy: { "Write it in UTF-8: iconv -f UTF-32 -t UTF-8 \($0) > rows.txt" }),
  ]
}
