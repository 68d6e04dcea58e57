/** Opens a bench, runs it and prints what came of it; what it started is closed however that ends. */
export async function conduct(bench) {
  try {
    await bench.open();
    await bench.run();
    bench.report();
  } finally {
    await bench.close();
  }
}
