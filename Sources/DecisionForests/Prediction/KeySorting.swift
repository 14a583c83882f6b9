/// Sorting of items by the key in their upper 32 bits, which is a float's (`FloatSorting`); equal
/// keys keep their order.
///
/// Numbers that lie evenly enough are dealt to about as many buckets as there are of them, which
/// leaves almost nothing to compare. Others, as somebody may have made them to take long, are
/// sorted by radix.
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
            insert(items, from: items, count: count)
        } else if spread(items, spare, count: count) {
            insert(items, from: spare, count: count)
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

    /// Writes the items of `source`, which may be the same place, in their order.
    private static func insert(_ items: Items, from source: Items, count: Int) {
        for index in 0..<count {
            let item = source[index]
            var place = index
            while place > 0, items[place &- 1] >> 32 > item >> 32 {
                items[place] = items[place &- 1]
                place &-= 1
            }
            items[place] = item
        }
    }

    /// Buckets at most: their counters fit the first cache.
    private static let bucketCountMax = 4_096
    /// Items of a bucket at most: so far an item may stand from its place.
    private static let bucketSizeMax = 32

    /// Writes the items to `spread`, those of each bucket together and the buckets in order. False
    /// if one is too large.
    private static func spread(_ items: Items, _ spread: Items, count: Int) -> Bool {
        var (least, greatest) = (UInt32.max, UInt32.min)
        for index in 0..<count {
            let key = UInt32(truncatingIfNeeded: items[index] &>> 32)
            least = min(least, key)
            greatest = max(greatest, key)
        }
        let first = FloatSorting.value(of: least)
        let span = FloatSorting.value(of: greatest) - first
        let bucketCount = min(bucketCountMax, count)
        let scale = Float(bucketCount - 1) / span
        // No bucket's number is beyond: what is at most `span`, times `scale`, is at most the
        // greatest number and its rounding.
        guard span.isFinite, scale.isFinite, span > 0 else { return false }
        @inline(__always)
        func number(ofBucketFor item: UInt64) -> Int {
            let key = UInt32(truncatingIfNeeded: item &>> 32)
            return Int((FloatSorting.value(of: key) - first) * scale)
        }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: bucketCount + 1) {
            guard let next = $0.baseAddress else { return false }
            next.initialize(repeating: 0, count: bucketCount + 1)
            for index in 0..<count { next[number(ofBucketFor: items[index])] &+= 1 }
            var (sum, largest): (Int32, Int32) = (0, 0)
            for bucket in 0...bucketCount {
                largest = max(largest, next[bucket])
                (next[bucket], sum) = (sum, sum &+ next[bucket])
            }
            guard largest <= bucketSizeMax else { return false }
            for index in 0..<count {
                let bucket = number(ofBucketFor: items[index])
                spread[Int(next[bucket])] = items[index]
                next[bucket] &+= 1
            }
            return true
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
