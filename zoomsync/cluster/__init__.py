"""Items made by other machines: a pass on one side, workers of a Dask cluster on the other."""
