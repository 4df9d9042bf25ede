import FuzzTargets
import Glibc

/// What libFuzzer calls with each input. libFuzzer starts the program anew to merge and to minimise and passes its own
/// arguments on, so which target is run stands in the environment.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}

private let target: FuzzTarget = {
    if let target = getenv("FUZZ_TARGET").flatMap({ FuzzTarget.named(String(cString: $0)) }) { return target }
    print("set FUZZ_TARGET to one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    exit(2)
}()
