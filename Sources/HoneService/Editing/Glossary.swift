/// What the members of a program file's objects mean, a line each; those at the top are described by the parameters of
/// the methods, those of optimizers by `OptimizerHelp`.
enum Glossary {
  /// - Parameters:
  ///   - member: the member's name.
  ///   - object: the names on the way to the object that holds it.
  static func meaning(of member: String, in object: [String]) -> String? {
    switch object.first {
    case "trainset"?, "valset"?, "devset"?: object.count == 1 ? dataset[member] : nil
    case "metric"?: object.count == 1 ? metric[member] : nil
    case "lm"?, "promptModel"?, "teacher"?:
      object.count == 1 ? model[member] : object.last == "price" ? price[member] : nil
    case "budget"?: budget[member]
    case "autolog"?: autolog[member]
    case "program"?: program[member]
    default: nil
    }
  }

  private static let program = [
    "module": "How the signature is run: Predict asks once, ChainOfThought asks for the reasoning first.",
    "signature": "Inputs -> outputs, with types as in Python: \"question, context: list[str] -> answer: int\".",
    "instructions": "What the model is told to do.",
    "state": "Instructions and demos by predictor, in the JSON that DSPy's save() writes.",
    "run": "The id of a run: its best program, or the one it evaluated.",
    "path": "A program file of Hone's or DSPy's, counted from this file's directory.",
    "artifactUri": "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}",
    "programId": "A program that compile or loadProgram named; lasts as long as the service.",
    "steps": "The steps of a pipeline, in order; an input takes the latest earlier output of its name.",
    "outputs": "What the program gives.", "inputs": "What it takes, or where a step's inputs come from.",
    "name": "The name.", "type": "The type, as in Python.", "desc": "What the field holds, for the model.",
  ]
  private static let dataset = [
    "path": "A file of JSON Lines, JSON, CSV or TSV, counted from this file's directory.",
    "rows": "The rows themselves: objects with a member for each field.",
    "name": "A data set that goes by name: gsm8k or word-problems; or what to call this one.",
    "split": "Which part of a data set that goes by name.",
    "inputs": "The members that the program is given; the signature's inputs unless said.",
    "limit": "How many rows to take.", "offset": "How many rows to pass over.",
    "shuffleSeed": "Shuffles the rows before offset and limit, with this seed.",
    "format": "How to read the file where its extension does not say.",
    "types": "The types of columns in CSV files: string, int, float, bool or json.",
  ]
  private static let metric = [
    "name": "The metric.", "field": "The output to look at; the one that example and program share unless said.",
    "expectedField": "The row's member that holds what is right; the same as field unless said.",
    "frac": "From which share of words on an answer counts.",
    "normalize": "Whether case, articles and punctuation are left aside.",
    "extract": "Which number of the output counts.", "tolerance": "How far the number may be off.",
    "relativeTolerance": "How far the number may be off, as a share of the expected one.",
    "text": "The text or texts to look for, in place of the row's.", "all": "Whether every text must be there.",
    "caseSensitive": "Whether capitals matter.", "pattern": "The regular expression.",
    "subset": "Whether further members of the output are passed over.",
    "passagesField": "The output that holds the passages.",
    "client": "A metric of the client that asks, called back for each example.",
    "judge": "A metric that asks a model.",
  ]
  private static let model = [
    "model": "provider/model, such as openai/gpt-4o-mini; or simulated.",
    "apiBase": "The endpoint's base URL, without /chat/completions.",
    "apiKeyEnv": "The environment variable of the service that holds the key.",
    "headers": "Further headers of requests, each as {\"env\": VARIABLE}: the service's environment holds the value.",
    "temperature": "How freely the model chooses its words.", "topP": "Restricts the choice to the likeliest words.",
    "maxTokens": "How long an answer may get.", "stop": "Texts at which an answer ends.",
    "seed": "Asks the endpoint for reproducible answers.", "n": "How many completions a request asks for.",
    "cache": "Whether an equal request is answered from the store; yes unless said.",
    "timeout": "Seconds that a request may take; what follows from the model's usual times unless said.",
    "retries": "How many more attempts follow a failed one; as many as its kind of fault is worth unless said.",
    "hedge": "Whether a request whose answer is unusually late is made a second time.",
    "hedgeAfter": "Seconds after which an answer is late; what follows from the model's usual times unless said.",
    "price": "US dollars per million tokens, where Hone does not know them.",
    "extra": "Further members of the request to the endpoint.",
    "client": "A model of the client that asks, called back for each request.",
  ]
  private static let price = [
    "input": "US dollars per million input tokens.", "output": "US dollars per million output tokens.",
  ]
  private static let budget = [
    "maxCalls": "The most model calls to make.", "maxTokens": "The most tokens to use.",
    "maxCost": "The most US dollars to spend.", "maxSeconds": "The most seconds to take.",
  ]
  private static let autolog = [
    "compiles": "A run for each compile.", "evals": "A run for each evaluation, also those that a compile makes.",
    "tracesFromCompile": "Traces of the executions of a compile.",
    "tracesFromEval": "Traces of the executions of an evaluation.",
    "traces": "Traces of predictions outside any run.",
  ]
}
