/** Shut until it is opened. */
export interface Gateway {
  opened: Promise<void>;
  open(): void;
}

export function gateway(): Gateway {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
