//! Prints what an executable says of itself: `cargo run --example describe -- FILE`.

use std::error::Error;
use std::process::ExitCode;

use go_binary::{ByteSource, Executable};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: describe FILE");
        return ExitCode::from(2);
    };
    let described = std::fs::read(&path).map_err(Box::from).and_then(|bytes| describe(bytes.as_slice()));
    match described {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn describe(bytes: impl ByteSource) -> Result<(), Box<dyn Error>> {
    let executable = Executable::read(bytes)?;
    println!("platform         {}/{}", executable.operating_system(), executable.architecture().as_str());
    println!("kind             {:?}", executable.kind());
    println!("static           {}", executable.is_static());
    println!("stripped         {}", executable.is_stripped());
    let build_info = executable.build_info()?;
    if let Some(found) = &build_info {
        println!("Go               {} ({})", found.value.go_version.as_str(), found.place);
        println!("main package     {}", found.value.main_package);
        for (key, value) in &found.value.settings {
            println!("setting          {key}={value:?}");
        }
    }
    println!("instrumentation  {:?}", executable.instrumentation(build_info.as_ref())?);
    println!("module data      {:?}", executable.module_data_location()?);
    println!("in the file      {:?}", executable.module_data()?);
    println!("meta-data list   {:?}", executable.meta_data_list()?);
    for segment in executable.segments() {
        println!("segment          {segment:?}");
    }
    Ok(())
}
