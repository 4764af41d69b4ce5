import JSON
package import Schema

/// What is done with rows that a careful person would not score as they are.
package struct DataTerms: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member(
      "unlabeled", \.unlabeled,
      "What is done with rows without the value that the metric compares with: skip leaves them out and says so, refuse refuses the request, score asks them and counts them as failed."
    ),
    Member(
      "duplicates", \.duplicates,
      "What is done with rows to be scored that repeat a row of the trainset, of the valset (in a testset) or an earlier one: keep scores them and says so, drop leaves them out."
    ),
  ]

  package enum Unlabeled: String, SchemaChoice { case skip, refuse, score }
  package enum Duplicates: String, SchemaChoice { case keep, drop }

  package var unlabeled = Unlabeled.skip
  package var duplicates = Duplicates.keep

  package init() {}
}
