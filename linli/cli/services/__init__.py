"""`linli service` and `linli upgrade`: Linli as services of this machine."""
