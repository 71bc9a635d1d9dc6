/** What a pool holds: something that may end by itself at any time. */
export interface Pooled {
  /** Resolves when it has ended. Never rejects. */
  readonly over: Promise<unknown>;
  readonly isOver: () => boolean;
  /** Ends it while it is idle. Never rejects. */
  readonly close: () => Promise<void>;
}

/** The right to use one place of the pool until it is released. */
export interface Place<T> {
  /** What was left here and is still usable; null when the holder has to make one. */
  readonly item: T | null;
  /** Gives the place back, with the item that stays in it or null. Only the first call counts. */
  readonly release: (item: T | null) => void;
}

/** What a place is wanted for. */
interface Wanted<T> {
  /** One holder at a time works under a key. */
  readonly key: string;
  readonly group: string;
  /** False for an item that is no longer the right one: it is closed and the holder makes another. */
  readonly fits: (item: T) => boolean;
  readonly signal: AbortSignal;
}

/** A bounded number of places, each with at most one item that stays warm between uses. */
export interface Pool<T extends Pooled> {
  /** Waits in the order of asking. Null when the signal aborts or the pool closes first. */
  readonly acquire: (wanted: Wanted<T>) => Promise<Place<T> | null>;
  /** Closes the idle items of a group; those in use are closed when they are released. */
  readonly forget: (group: string) => Promise<void>;
  /** The same for all groups. */
  readonly forgetAll: () => Promise<void>;
  /** Closes idle items, turns everybody away who waits or comes. Resolves when all places are given back and empty. */
  readonly close: () => Promise<void>;
  /** Places that are in use, idle or closing. */
  readonly size: () => number;
}

interface PoolDeps {
  readonly max: number;
  /** An item that was idle for so long is closed. */
  readonly idleMs: number;
}

interface Slot<T> {
  readonly key: string;
  readonly group: string;
  state: "used" | "idle" | "closing";
  item: T | null;
  isRetired: boolean;
  timer: NodeJS.Timeout | undefined;
}

interface Waiter<T> {
  readonly wanted: Wanted<T>;
  readonly settle: (place: Place<T> | null) => void;
}

/**
 * A pool of `max` places. When all are taken, the item that was idle longest makes room; when all are in use, askers wait. A key
 * in use makes only its own askers wait. Nothing in it stays taken after its holder released it or its item ended while idle.
 */
export function createPool<T extends Pooled>({ max, idleMs }: PoolDeps): Pool<T> {
  /** By key; of the idle ones, the longest idle comes first. */
  const slots = new Map<string, Slot<T>>();
  const waiters = new Set<Waiter<T>>();
  const emptied = new Set<() => void>();
  const watched = new WeakSet<T>();
  let isClosed = false;

  function remove(slot: Slot<T>): void {
    clearTimeout(slot.timer);
    if (slots.get(slot.key) === slot) slots.delete(slot.key);
    if (slots.size === 0) for (const done of emptied) done();
    serve();
  }

  async function empty(slot: Slot<T> | undefined): Promise<void> {
    if (slot?.state !== "idle") return;
    slot.state = "closing";
    clearTimeout(slot.timer);
    try {
      await slot.item?.close();
    } finally {
      remove(slot);
    }
  }

  async function retire(own: readonly Slot<T>[]): Promise<void> {
    for (const slot of own) slot.isRetired = true;
    await Promise.all(own.map(empty));
  }

  function rest(slot: Slot<T>, item: T): void {
    slot.state = "idle";
    slot.item = item;
    slots.delete(slot.key); // to the end: the one used last
    slots.set(slot.key, slot);
    if (slot.isRetired || isClosed) {
      void empty(slot);
      return;
    }
    slot.timer = setTimeout(() => void empty(slot), idleMs);
    slot.timer.unref();
    if (!watched.has(item)) {
      watched.add(item);
      void item.over.then(() => {
        const held = slots.get(slot.key);
        if (held?.state === "idle" && held.item === item) remove(held);
      });
    }
    serve();
  }

  function hand(slot: Slot<T>, waiter: Waiter<T>): void {
    const { item } = slot;
    clearTimeout(slot.timer);
    slot.state = "used";
    slot.item = null;
    let isReleased = false;
    const release = (left: T | null) => {
      if (isReleased) return;
      isReleased = true;
      if (left === null || left.isOver()) remove(slot);
      else rest(slot, left);
    };
    waiters.delete(waiter);
    waiter.settle({ item, release });
  }

  /** Serves everybody who can be served now, first come first served, and makes room for the others. */
  function serve(): void {
    let comingFree = [...slots.values()].filter(({ state }) => state === "closing").length;
    for (const waiter of waiters) {
      const { key, group, fits } = waiter.wanted;
      const own = slots.get(key);
      if (own?.state === "idle" && own.item && fits(own.item)) hand(own, waiter);
      else if (own)
        void empty(own); // an idle one that does not fit; otherwise its holder or its closing is waited for
      else if (slots.size < max) {
        const slot: Slot<T> = { key, group, state: "used", item: null, isRetired: false, timer: undefined };
        slots.set(key, slot);
        hand(slot, waiter);
      } else if (comingFree > 0) comingFree -= 1;
      else void empty([...slots.values()].find(({ state }) => state === "idle"));
    }
  }

  return {
    acquire: (wanted) => {
      const { promise, resolve } = Promise.withResolvers<Place<T> | null>();
      if (isClosed || wanted.signal.aborted) return Promise.resolve(null);
      const leave = () => waiter.settle(null);
      const waiter: Waiter<T> = {
        wanted,
        settle: (place) => {
          wanted.signal.removeEventListener("abort", leave);
          waiters.delete(waiter);
          resolve(place);
        },
      };
      wanted.signal.addEventListener("abort", leave, { once: true });
      waiters.add(waiter);
      serve();
      return promise;
    },
    forget: async (group) => retire([...slots.values()].filter((slot) => slot.group === group)),
    forgetAll: async () => retire([...slots.values()]),
    close: async () => {
      isClosed = true;
      for (const waiter of waiters) waiter.settle(null);
      const { promise, resolve } = Promise.withResolvers<void>();
      emptied.add(resolve);
      await Promise.all([...slots.values()].map(empty));
      if (slots.size > 0) await promise;
    },
    size: () => slots.size,
  };
}
