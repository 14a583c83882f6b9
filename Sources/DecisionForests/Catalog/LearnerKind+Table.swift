extension LearnerKind {
    /// The parameters as Markdown: what docs/LEARNING.md shows of this kind.
    package var parameterTable: String {
        let rows = parameters.map { parameter in
            let names = parameter.aliases.map { "`\($0)`" }.joined(separator: ", ")
            let cells = [
                "`\(parameter.name)`", names, parameter.values, parameter.standard,
                parameter.meaning,
            ]
            return "| " + cells.joined(separator: " | ") + " |\n"
        }
        return """
            ### `\(name)`: \(summary)

            | parameter | also | values | default | what it does |
            |---|---|---|---|---|

            """ + rows.joined()
    }
}
