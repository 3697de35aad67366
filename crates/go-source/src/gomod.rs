//! The directives of go.mod and go.work that say where sources are. Text in, values out; opens no file.
