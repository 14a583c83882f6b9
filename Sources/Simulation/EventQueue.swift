/// What will happen, the earliest first; of two things at one time, the one that was planned first.
struct EventQueue {
    /// Small, because the heap moves many of them: the event itself stays in `events`.
    private struct Entry {
        let time: Int64
        let number: Int
        let place: Int

        func isBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : number < other.number
        }
    }

    /// A binary heap: both children of `i` stand at 2i+1 and 2i+2 and come after it.
    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var freePlaces: [Int] = []
    private var count = 0

    mutating func add(_ event: Event, at time: Int64) {
        let place = freePlaces.popLast() ?? events.count
        if place < events.count { events[place] = event } else { events.append(event) }
        rise(Entry(time: time, number: count, place: place))
        count += 1
    }

    mutating func popFirst() -> (time: Int64, event: Event)? {
        guard let first = heap.first, let last = heap.popLast(), let event = events[first.place]
        else { return nil }
        if !heap.isEmpty { sink(last) }
        events[first.place] = nil
        freePlaces.append(first.place)
        return (first.time, event)
    }

    private mutating func rise(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    /// Puts an entry in the place of the first one.
    private mutating func sink(_ entry: Entry) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = entry
    }
}
