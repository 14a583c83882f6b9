import Foundation

/// In which order a package job's targets are compiled, and from which files: a pure reading of its
/// manifest and of the names of its files.
///
/// Nothing is downloaded to build a job, so a plan knows the package's own Swift targets, system
/// libraries, and Manta; what else the manifest asks for is refused by name.
struct PackagePlan: Hashable, Sendable {
    /// One target.
    struct Module: Hashable, Sendable {
        let name: String
        /// Relative to the package, in name order.
        let sources: [String]
        /// What its settings mean to the compiler.
        let flags: [String]
    }

    /// Each needs only those before it.
    let libraries: [Module]
    let executable: Module
    /// Whether the entry point is a type marked `@main`, in place of the code of `main.swift`.
    let hasMainType: Bool

    /// What packages call the library that a job imports.
    static let product = "MantaSDK"

    /// - Parameters:
    ///   - files: all files of the package, their paths relative to it.
    ///   - text: the content of one of them.
    /// - Throws: `PackageError` naming the target and what it asks for.
    init(
        _ manifest: PackageManifest, files: [String], text: (String) -> String
    ) throws(PackageError) {
        let reader = TargetReader(manifest: manifest, files: files.sorted())
        let target = try PackagePlan.executable(in: manifest)
        let order = try reader.order(to: target)
        var systemFlags: [String] = []
        for target in order where target.type == "system" {
            systemFlags += try reader.systemFlags(of: target)
        }
        var modules: [Module] = []
        for target in order where target.type != "system" {
            modules.append(try reader.module(target, adding: systemFlags))
        }
        guard let executable = modules.popLast() else { throw PackageError("has no sources") }
        (libraries, self.executable) = (modules, executable)
        hasMainType = try PackagePlan.hasMainType(executable, text)
    }

    private static func executable(
        in manifest: PackageManifest
    ) throws(PackageError) -> PackageManifest.Target {
        let all = manifest.targets.filter { $0.type == "executable" }
        if let only = all.first, all.count == 1 { return only }
        if let named = all.first(where: { $0.name == manifest.name }) { return named }
        guard !all.isEmpty else { throw PackageError("has no executable target to run") }
        throw PackageError(
            "has the executable targets \(all.map(\.name).joined(separator: ", ")); "
                + "a job has one, or one of the package's own name")
    }

    /// As SwiftPM decides: `main.swift`, else `@main`, else the only file is the script.
    private static func hasMainType(
        _ module: Module, _ text: (String) -> String
    ) throws(PackageError) -> Bool {
        if module.sources.contains(where: { ($0 as NSString).lastPathComponent == "main.swift" }) {
            return false
        }
        if module.sources.contains(where: { text($0).contains("@main") }) { return true }
        guard module.sources.count == 1 else {
            throw PackageError("has neither main.swift nor @main in target \(module.name)")
        }
        return false
    }

    /// The compiler's arguments for one library, which end in `folder` as its module and object.
    func arguments(library: Module, folder: String) -> [String] {
        [
            "-whole-module-optimization", "-parse-as-library", "-module-name", library.name,
            "-emit-module", "-emit-module-path", "\(folder)/\(library.name).swiftmodule",
            "-c", "-o", "\(folder)/\(library.name).o", "-I", folder,
        ] + library.flags + library.sources
    }

    /// The compiler's arguments for the program, linked with what the libraries left in `folder`.
    func arguments(output: String, folder: String) -> [String] {
        ["-whole-module-optimization", "-module-name", executable.name, "-I", folder]
            + (hasMainType ? ["-parse-as-library"] : [])
            + executable.flags + executable.sources
            + libraries.map { "\(folder)/\($0.name).o" } + ["-o", output]
    }
}

/// Reads targets of one manifest among the files of its package.
private struct TargetReader {
    let manifest: PackageManifest
    let files: [String]

    /// The target and all that it needs, each after those it needs itself.
    func order(
        to target: PackageManifest.Target
    ) throws(PackageError) -> [PackageManifest.Target] {
        var order: [PackageManifest.Target] = []
        var open: Set<String> = []
        try visit(target, &order, &open)
        return order
    }

    private func visit(
        _ target: PackageManifest.Target, _ order: inout [PackageManifest.Target],
        _ open: inout Set<String>
    ) throws(PackageError) {
        guard !order.contains(where: { $0.name == target.name }) else { return }
        guard open.insert(target.name).inserted else {
            throw PackageError("has targets that need each other: \(target.name) needs itself")
        }
        for dependency in target.dependencies {
            if let next = manifest.targets.first(where: { $0.name == dependency.name }),
                dependency.kind != "product"
            {
                try visit(next, &order, &open)
            } else if dependency.name != PackagePlan.product {
                throw PackageError(
                    "target \(target.name) uses \(dependency.name) of another package; a job's "
                        + "package has no other dependency than \(PackagePlan.product)")
            }
        }
        order.append(target)
    }

    func module(
        _ target: PackageManifest.Target, adding systemFlags: [String]
    ) throws(PackageError) -> PackagePlan.Module {
        guard target.type == "executable" || target.type == "regular" else {
            throw PackageError(
                "target \(target.name) is of the kind \(target.type), which jobs cannot have")
        }
        if let resource = target.resources?.first {
            throw PackageError(
                "target \(target.name) has the resource \(resource.path); send files that the job "
                    + "reads with --working-dir")
        }
        let sources = try sources(of: target)
        var flags = systemFlags
        for setting in target.settings ?? [] where setting.applies {
            flags += try self.flags(of: setting, in: target)
        }
        return PackagePlan.Module(
            name: TargetReader.moduleName(target.name), sources: sources, flags: flags)
    }

    /// How Swift spells a target's name (`my-job` is the module `my_job`).
    private static func moduleName(_ name: String) -> String {
        String(name.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "_" })
    }

    private func sources(of target: PackageManifest.Target) throws(PackageError) -> [String] {
        let folder = try folder(of: target)
        let inside = { (path: String, names: [String]) in
            names.contains { path == $0 || path.hasPrefix($0 + "/") }
        }
        let all = files.filter { $0.hasPrefix(folder) }
        let excluded = (target.exclude ?? []).map { folder + TargetReader.trimmed($0) }
        let wanted = target.sources.map { $0.map { folder + TargetReader.trimmed($0) } }
        let kept = all.filter { path in
            !inside(path, excluded) && (wanted.map { inside(path, $0) } ?? true)
        }
        let others = ["c", "cc", "cpp", "m", "mm", "s", "S"]
        if let other = kept.first(where: { others.contains(($0 as NSString).pathExtension) }) {
            throw PackageError("\(other) is not Swift, which is all that jobs are compiled from")
        }
        let sources = kept.filter { $0.hasSuffix(".swift") }
        guard !sources.isEmpty else {
            throw PackageError("target \(target.name) has no Swift files under \(folder)")
        }
        return sources
    }

    /// With a slash at its end; where SwiftPM looks, in its order.
    private func folder(of target: PackageManifest.Target) throws(PackageError) -> String {
        if let path = target.path {
            let trimmed = TargetReader.trimmed(path)
            return trimmed.isEmpty || trimmed == "." ? "" : trimmed + "/"
        }
        let usual = ["Sources", "Source", "src", "srcs"]
        for parent in usual {
            let folder = "\(parent)/\(target.name)/"
            if files.contains(where: { $0.hasPrefix(folder) }) { return folder }
        }
        let own = manifest.targets.filter { $0.type != "test" }
        for parent in usual where own.count == 1 {
            if files.contains(where: { $0.hasPrefix(parent + "/") }) { return parent + "/" }
        }
        throw PackageError("target \(target.name) has no folder Sources/\(target.name)")
    }

    /// "./a/b/" as "a/b".
    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        while path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }

    func systemFlags(of target: PackageManifest.Target) throws(PackageError) -> [String] {
        let map = try folder(of: target) + "module.modulemap"
        guard files.contains(map) else {
            throw PackageError("the system library \(target.name) has no \(map)")
        }
        return ["-Xcc", "-fmodule-map-file=\(map)"]
    }

    private func flags(
        of setting: PackageManifest.Setting, in target: PackageManifest.Target
    ) throws(PackageError) -> [String] {
        switch (setting.tool, setting.kind, setting.value) {
        case ("swift", "define", let name?): return ["-D", name]
        case ("swift", "enableUpcomingFeature", let name?):
            return ["-enable-upcoming-feature", name]
        case ("swift", "enableExperimentalFeature", let name?):
            return ["-enable-experimental-feature", name]
        case ("swift", "swiftLanguageMode", let mode?): return ["-swift-version", mode]
        case ("linker", "linkedLibrary", let name?): return ["-l\(name)"]
        default:
            throw PackageError(
                "target \(target.name) has the setting \(setting.kind) for the \(setting.tool) "
                    + "tool, which jobs cannot have")
        }
    }
}

/// Why a package is no job: what `job submit` shows behind the package's name.
struct PackageError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
