import Crypto

/// How long a task waits between two attempts.
extension RetryPolicy {
    /// No task waits longer than this between two attempts.
    package static let delayMaxInMilliseconds: Int64 = 30_000

    /// Doubles with every attempt: `delayInMilliseconds` · 2^(attempt-1), at most 30 s.
    package func delay(afterAttempt attempt: Int) -> Int64 {
        let base = max(0, min(delayInMilliseconds, RetryPolicy.delayMaxInMilliseconds))
        let doublings = max(0, min(attempt - 1, 15))  // 1 ms · 2^15 is already past the cap
        return min(base << Int64(doublings), RetryPolicy.delayMaxInMilliseconds)
    }

    /// The delay of one task: between a half and the whole of the above, so that tasks that failed
    /// together do not come back together, and a later delay is never shorter than an earlier one.
    ///
    /// The chance is the first 32 bits of SHA-1 of "ID#ATTEMPT": what Redis's scripts can compute
    /// as well, and the same in every store and every repetition.
    package func delay(afterAttempt attempt: Int, of task: TaskID) -> Int64 {
        let whole = delay(afterAttempt: attempt)
        let half = whole / 2
        let digest = Insecure.SHA1.hash(data: Array("\(task)#\(attempt)".utf8))
        let chance = digest.prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return half + chance % (whole - half + 1)
    }
}
