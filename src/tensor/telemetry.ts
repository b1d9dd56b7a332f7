/** Imported before onnxruntime-node, which on some systems keeps events of its use unless it is told not to. */

// The main thread's own environment: a worker has a copy, which native code does not see.
process.env.ORT_DISABLE_TELEMETRY ??= "1";
