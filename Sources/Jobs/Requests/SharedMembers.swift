package import LanguageModels
import Programs
package import Schema
import Tracking

/// Members that several requests have; they mean the same in each.
extension Member {
  package static func runID(_ path: MemberPath<Owner, String>) -> Self {
    Member("runId", path, isRequired: true, "The run's id.")
  }

  package static func maxResults(_ path: MemberPath<Owner, Int>) -> Self {
    Member("maxResults", path, in: 1...1000, "How many results a page has.")
  }

  package static func pageToken(_ path: MemberPath<Owner, String?>) -> Self {
    Member("pageToken", path, "The nextPageToken of the previous page.")
  }

  package static func module(_ path: MemberPath<Owner, String?>) -> Self {
    Member(
      "module", path, as: AskingMembers.moduleName,
      "The module for a program given as a signature's text; ChainOfThought by default.")
  }

  package static func program(_ path: MemberPath<Owner, Stated<ProgramShape>?>, _ summary: String) -> Self {
    Member("program", path, isRequired: true, summary)
  }

  package static func programID(_ path: MemberPath<Owner, String?>) -> Self {
    Member("programId", path, "A program that compile or loadProgram named.")
  }

  package static func metric(_ path: MemberPath<Owner, Stated<MetricShape>?>) -> Self {
    Member("metric", path, isRequired: true, "How an output is scored.")
  }

  package static func adapter(_ path: MemberPath<Owner, AdapterChoice?>) -> Self {
    Member(
      "adapter", path,
      "The form of prompts and replies. By default that of the program's state; without one, the form that works best with the model."
    )
  }

  package static func vectorizer(_ path: MemberPath<Owner, ModelConfiguration?>) -> Self {
    Member(
      "vectorizer", path,
      "The embeddings model, such as openai/text-embedding-3-small, by whose vectors rows are compared; without one, words are."
    )
  }

  package static func budget(_ path: MemberPath<Owner, Budget.Limits?>) -> Self {
    Member("budget", path, "Bounds that are checked before each call.")
  }

  package static func concurrency(_ path: MemberPath<Owner, Int>) -> Self {
    Member(
      "concurrency", path, in: 1...1024, "How many executions at once. The result does not depend on it.")
  }

  package static func detach(_ path: MemberPath<Owner, Bool>) -> Self {
    Member(
      "detach", path, "Answer at once with the run's id and continue without the client; watchRun follows it.")
  }

  package static func autolog(_ path: MemberPath<Owner, Autolog>) -> Self {
    Member("autolog", path, "What is tracked; everything by default.")
  }
}
