import Foundation
import Synchronization

/// The terminal while something is drawn on it again and again: its alternate screen, so that what
/// stood there before comes back.
struct TerminalScreen {
    /// Whether the alternate screen is on; global, because the end of the process must see it.
    private static let isOn = Atomic(false)

    /// Switches to the alternate screen and hides the cursor, until `leave` or the process's end.
    init() {
        TerminalScreen.isOn.store(true, ordering: .sequentiallyConsistent)
        atexit { TerminalScreen.restore() }
        writeOut("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    func leave() { TerminalScreen.restore() }

    private static func restore() {
        guard isOn.exchange(false, ordering: .sequentiallyConsistent) else { return }
        let text: StaticString = "\u{1B}[?25h\u{1B}[?1049l"
        _ = write(1, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Shows lines that are made for the present size. No line feed ends the last one, so that
    /// nothing scrolls.
    ///
    /// Lines are cleared before they are written: after a full one the cursor still stands on its
    /// last character, which clearing would take along.
    func draw(_ lines: (_ columns: Int, _ rows: Int) -> [String]) {
        let size = TerminalScreen.size
        let shown = lines(size.columns, size.rows)
        let text = shown.map { "\u{1B}[K" + $0 }.joined(separator: "\r\n")
        let rest = shown.count < size.rows ? "\r\n\u{1B}[J" : ""
        writeOut("\u{1B}[H" + text + rest)
    }

    /// Returns early, within a tenth of a second, when the size changes or the task is cancelled.
    func waitASecondOrResize() async {
        let before = TerminalScreen.size
        for _ in 0..<10 {
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil,
                TerminalScreen.size == before
            else { return }
        }
    }

    private struct Size: Equatable {
        var columns: Int
        var rows: Int
    }

    /// 80 by 24 where the terminal does not say.
    private static var size: Size {
        var window = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return Size(columns: 80, rows: 24)
        }
        return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
    }
}
