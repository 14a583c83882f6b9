// A job script says `import Manta` and nothing else: options, learning and tasks come with it.
@_exported public import ArgumentParser
@_exported public import DecisionForests

/// What a compiled job says it was built with.
enum MantaVersion {
    static let current = "0.1.0"
}
