/// Sorting of items by the key in their upper 32 bits; equal keys keep their order.
enum KeySorting {
    private typealias Items = UnsafeMutablePointer<UInt64>

    /// Items that comparing sorts faster than counting.
    private static let comparedCountMax = 24
    /// Items from which three passes over 11 bits beat four over 8, whose counters are fewer.
    private static let wideCountMin = 1_024

    /// Sorts in place; `spare` has room for as many.
    static func sort(
        _ items: UnsafeMutablePointer<UInt64>, spare: UnsafeMutablePointer<UInt64>, count: Int
    ) {
        if count <= comparedCountMax {
            insert(items, count: count)
        } else if count < wideCountMin {
            sort(items, spare, count: count, digits: 4, bits: 8)
        } else {
            sort(items, spare, count: count, digits: 3, bits: 11)
        }
    }

    /// How many different keys sorted items have.
    static func keyCount(_ items: UnsafePointer<UInt64>, count: Int) -> Int {
        guard count > 0 else { return 0 }
        var found = 1
        for index in 1..<count {
            found &+= items[index] >> 32 == items[index &- 1] >> 32 ? 0 : 1
        }
        return found
    }

    private static func insert(_ items: Items, count: Int) {
        for index in 0..<count {
            let item = items[index]
            var place = index
            while place > 0, items[place &- 1] >> 32 > item >> 32 {
                items[place] = items[place &- 1]
                place &-= 1
            }
            items[place] = item
        }
    }

    /// Least digit first. One pass counts all digits; a digit that all keys share is left out.
    @inline(__always)
    private static func sort(
        _ items: Items, _ spare: Items, count: Int, digits: Int, bits: UInt64
    ) {
        let bucketCount = 1 << Int(bits)
        let mask = UInt64(bucketCount - 1)
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: digits * bucketCount) { counters in
            guard let counters = counters.baseAddress else { return }
            counters.initialize(repeating: 0, count: digits * bucketCount)
            for index in 0..<count {
                var key = items[index] &>> 32
                for digit in 0..<digits {
                    counters[digit &* bucketCount &+ Int(key & mask)] &+= 1
                    key &>>= bits
                }
            }
            var (source, target) = (items, spare)
            for digit in 0..<digits {
                let shift = 32 &+ UInt64(digit) &* bits
                let own = counters + digit &* bucketCount
                if own[Int(source[0] &>> shift & mask)] == Int32(count) { continue }
                var sum: Int32 = 0
                for bucket in 0..<bucketCount {
                    (own[bucket], sum) = (sum, sum &+ own[bucket])
                }
                for index in 0..<count {
                    let item = source[index]
                    let bucket = Int(item &>> shift & mask)
                    target[Int(own[bucket])] = item
                    own[bucket] &+= 1
                }
                swap(&source, &target)
            }
            if source != items { items.update(from: source, count: count) }
        }
    }
}
