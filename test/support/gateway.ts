/** Shut until it is opened, with a value or without. */
export interface Gateway<Value> {
  opened: Promise<Value>;
  open(value: Value): void;
}

export function gateway<Value = void>(): Gateway<Value> {
  let open: (value: Value) => void = () => {};
  const opened = new Promise<Value>(resolve => {
    open = resolve;
  });
  return { opened, open: value => open(value) };
}
