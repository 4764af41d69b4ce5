import ArgumentParser
@main struct Hone: ParsableCommand { func run() {} }
