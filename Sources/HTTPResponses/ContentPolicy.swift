/// The content security policies of what is served.
package enum ContentPolicy {
  package static let page = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'
    """

  /// MLflow's page makes style elements, code from text, workers and frames of its own; still nothing may come from, or
  /// go to, another place.
  package static let mlflow = """
    default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self' blob: data:; \
    worker-src 'self' blob:; frame-src 'self' blob:; manifest-src 'self'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'self'
    """
}
