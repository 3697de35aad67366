//! Counter files: what can be read can be written, and is then read as the same.
#![no_main]

use go_coverage::{CounterFile, CounterFileWriter, CounterFlavor, RunArguments, Segment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = CounterFile::parse(bytes) else { return };
    for segment in file.segments() {
        let arguments = segment.arguments();
        let _ = (arguments.program().count(), arguments.operating_system(), arguments.architecture());
        for flavor in [CounterFlavor::Raw, CounterFlavor::Uleb128] {
            let mut writer = CounterFileWriter::new(file.hash(), flavor, &RunArguments::default());
            for (package, function, counters) in functions(segment) {
                writer.function(package, function, &counters);
            }
            let written = writer.finish();
            let again = CounterFile::parse(&written).expect("what was written can be read");
            assert_eq!((again.hash(), again.flavor()), (file.hash(), flavor));
            let [again] = again.segments() else { panic!("one segment was written") };
            assert!(functions(again).eq(functions(segment)));
        }
    }
});

fn functions<'a>(segment: &Segment<'a>) -> impl Iterator<Item = (u32, u32, Vec<u32>)> + use<'a> {
    segment.functions().map(|record| (record.package(), record.function(), record.counters().collect()))
}
