# Writes tables of every kind of column by pandas: kinds.parquet, kinds.feather, kinds.csv.gz, nested.parquet.
import datetime, decimal
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as pf
n = 40
g = np.random.default_rng(1)
miss = lambda x: [None if i % 7 == 3 else v for i, v in enumerate(x)]
columns = {}
for t in ["int8","int16","int32","int64","uint8","uint16","uint32","uint64","float16","float32","float64"]:
    columns[t] = pa.array(np.arange(n).astype(t))
columns["missing"] = pa.array(miss([float(i) for i in range(n)]))
columns["bool"] = pa.array(miss([i % 2 == 0 for i in range(n)]))
columns["string"] = pa.array(miss([["red","green","blue"][i % 3] for i in range(n)]))
columns["category"] = pa.array(["a" if i % 2 else "b" for i in range(n)]).dictionary_encode()
columns["decimal"] = pa.array([decimal.Decimal(i) / 4 for i in range(n)], pa.decimal128(10, 2))
columns["date"] = pa.array([datetime.date(1970, 1, 1) + datetime.timedelta(days=i) for i in range(n)])
columns["time"] = pa.array([datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=i) for i in range(n)], pa.timestamp("us"))
columns["duration"] = pa.array([datetime.timedelta(seconds=i) for i in range(n)], pa.duration("ns"))
t = pa.table(columns)
d = t.drop_columns(["duration"])
d = d.set_column(d.schema.get_field_index("float16"), "float16", d["float16"].cast(pa.float32()))
pq.write_table(d, "kinds.parquet")
pf.write_feather(d.set_column(d.schema.get_field_index("float16"), "float16", t["float16"]), "kinds.feather")
t.to_pandas().to_csv("kinds.csv.gz", index=True)
pq.write_table(pa.table({"a": [1, 2], "list": [[1.0], [2.0, 3.0]]}), "nested.parquet")
