extension MLflowClient {
    /// The experiment of this name, made when missing. Any number of callers may ask at once.
    ///
    /// - Throws: `deleted` when the name belongs to an experiment in MLflow's trash.
    package func experiment(
        named name: String, tags: [String: String] = [:]
    ) async throws(MLflowError) -> Experiment {
        let operation = "get or create the experiment"
        guard !name.isEmpty, name.count <= 500 else {
            throw invalid(operation, name, "an experiment's name has 1 to 500 characters")
        }
        if let found = try await findExperiment(named: name) { return try active(found) }
        do {
            try await createExperiment(named: name, tags: tags)
        } catch {
            // Somebody else was faster, or the answer to our own create was lost.
            guard error.kind == .alreadyExists || error.isAmbiguous || error.kind == .invalidValue,
                let found = try await findExperiment(named: name)
            else { throw error }
            return try active(found)
        }
        guard let made = try await findExperiment(named: name) else {
            throw MLflowError(
                .invalidAnswer, operation: operation, subject: name,
                message: "the server created it and does not find it")
        }
        return try active(made)
    }

    package func findExperiment(named name: String) async throws(MLflowError) -> Experiment? {
        try await experiment(
            .get(
                "mlflow/experiments/get-by-name", [("experiment_name", name)],
                to: "find the experiment",
                name))
    }

    package func findExperiment(id: String) async throws(MLflowError) -> Experiment? {
        try await experiment(
            .get("mlflow/experiments/get", [("experiment_id", id)], to: "find the experiment", id))
    }

    private func experiment(_ call: ServerChannel.Call) async throws(MLflowError) -> Experiment? {
        struct Answer: Decodable { var experiment: WireExperiment? }
        do {
            return try await tracking.perform(call, as: Answer.self) {
                answer throws(MissingField) in
                try answer.experiment.required("experiment").experiment()
            }
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    private func createExperiment(
        named name: String, tags: [String: String]
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var tags: [Pair]
        }
        try await tracking.perform(
            .post(
                "mlflow/experiments/create", Body(name: name, tags: Pair.list(tags)),
                to: "create the experiment", name, isRepeatable: false))
    }

    private func active(_ experiment: Experiment) throws(MLflowError) -> Experiment {
        guard experiment.isActive else {
            throw MLflowError(
                .deleted, operation: "use the experiment", subject: experiment.name,
                message: "it was deleted and keeps its name",
                nextStep: "Restore it with 'mlflow experiments restore --experiment-id "
                    + "\(experiment.id)', or use another name.")
        }
        return experiment
    }
}
