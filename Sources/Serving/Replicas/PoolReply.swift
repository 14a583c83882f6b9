/// The replies a pool gives itself, without a replica.
enum PoolReply {
    static func notLoaded(_ request: PredictRequest) -> Reply {
        styled(ModelServer.notLoaded(request), request)
    }

    /// Ray Serve's words for it, so that who looks for them finds them.
    static func queueFull(_ request: PredictRequest, count: Int, bound: Int) -> Reply {
        make(
            request, "queue_full",
            Problem(
                status: 503, code: "overloaded", title: "Too many predictions at once",
                detail: "Request dropped due to backpressure (num_queued_requests=\(count), "
                    + "max_queued_requests=\(bound)).", retryAfter: 1))
    }

    static func late(_ request: PredictRequest, after time: Duration) -> Reply {
        make(
            request, "queue_time",
            Problem(
                status: 503, code: "overloaded", title: "No replica became free in time",
                detail: "the request waited \(time) for a replica; try again.", retryAfter: 1))
    }

    /// Two replicas ended while they worked on it: it may be the cause, so it is not given to a
    /// third.
    static func lostTwice(_ request: PredictRequest) -> Reply {
        make(
            request, "replica_lost",
            Problem(
                status: 503, code: "replica-lost", title: "The replica ended",
                detail: "two replicas ended while they worked on this request", retryAfter: 1))
    }

    static func stopping(_ request: PredictRequest) -> Reply {
        make(
            request, "stopping",
            Problem(
                status: 503, code: "stopping", title: "The gateway is stopping",
                detail: "this gateway takes no more predictions", retryAfter: 1))
    }

    private static func make(
        _ request: PredictRequest, _ rejection: String, _ problem: Problem
    ) -> Reply {
        styled(problem.reply(requestID: request.requestID).rejected(rejection), request)
    }

    private static func styled(_ reply: Reply, _ request: PredictRequest) -> Reply {
        request.style == .serve ? ServeReply.restyled(reply) : reply
    }
}
