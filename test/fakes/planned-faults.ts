/** Takes the first of the faults that is meant for a call. It is used up by as many calls as it says, one if it says nothing. */
export function takeFault<Fault extends { times?: number }>(
  faults: Fault[],
  isMeant: (fault: Fault) => boolean,
): Fault | undefined {
  const index = faults.findIndex(isMeant);
  const fault = faults[index];
  if (!fault) return undefined;
  const left = (fault.times ?? 1) - 1;
  if (left > 0) faults[index] = { ...fault, times: left };
  else faults.splice(index, 1);
  return fault;
}
