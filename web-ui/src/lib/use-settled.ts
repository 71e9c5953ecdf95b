"use client";

import { useEffect, useState } from "react";

const SETTLES_MS = 300;

/** The value once it has stopped changing for a moment: for requests that follow what is typed. */
export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(text)), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
